import { AsyncResource } from 'node:async_hooks';
import { context, type Context } from '@opentelemetry/api';

/** The symbols under which the copies of undici store the handler of a request. */
const handlerKeys: symbol[] = [];

/**
 * The context in which the application made a request of undici. Before undici 8, a request that has waited for a connection
 * of its pool is announced in the context of the request that used the connection before. The handler of `request()`,
 * `stream()` and `pipeline()` is an AsyncResource and has the right context. The handler of `fetch()` does not.
 */
export function undiciCaller(request: object): Context {
  const handler = requestHandler(request);
  return handler instanceof AsyncResource ? handler.runInAsyncScope(() => context.active()) : context.active();
}

function requestHandler(request: object): unknown {
  const knownKey = handlerKeys.find((key) => key in request);
  if (knownKey) return Reflect.get(request, knownKey);
  const key = Object.getOwnPropertySymbols(request).find(({ description }) => description === 'handler');
  if (!key) return undefined;
  handlerKeys.push(key);
  return Reflect.get(request, key);
}
