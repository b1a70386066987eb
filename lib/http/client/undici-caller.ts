import { AsyncResource } from 'node:async_hooks';
import { context, type Context } from '@opentelemetry/api';

/** The symbols under which copies of undici keep the handler of a request. */
const handlerKeys: symbol[] = [];

/**
 * The context of whoever made a request of undici. Before undici 8 a request that has waited for a connection of its pool
 * announces itself in the context of the request that the connection was busy with; `request()`, `stream()` and
 * `pipeline()` remember the right one in their handler, an AsyncResource. `fetch()` does not.
 */
export function undiciCaller(request: object): Context {
  const handler = handlerOf(request);
  return handler instanceof AsyncResource ? handler.runInAsyncScope(() => context.active()) : context.active();
}

function handlerOf(request: object): unknown {
  const known = handlerKeys.find((key) => key in request);
  if (known) return Reflect.get(request, known);
  const key = Object.getOwnPropertySymbols(request).find(({ description }) => description === 'handler');
  if (!key) return undefined;
  handlerKeys.push(key);
  return Reflect.get(request, key);
}
