import { context, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { callInContext } from '../../core/context-manager.js';
import { interceptMethod, type MethodInterceptor } from '../../core/intercept-method.js';
import { suppressTracing } from '../../core/suppression.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { consumeByDriver } from '../consume-by-driver.js';
import { transportNameOf } from '../transports.js';
import type { MessageServer } from './message-server.js';

const callWithoutTracing = (outer: Context, method: AnyMethod, thisArg: unknown, args: unknown[]) =>
  callInContext(suppressTracing(outer), method, thisArg, args);

/**
 * Keeps what a transport of Nest asks of its driver out of the trace: its subscriptions, and its answers, for which the span of the message
 * stands.
 */
export function suppressOwnCommands(server: MessageServer): void {
  const once: MethodInterceptor = (method, thisArg, args) => callWithoutTracing(ROOT_CONTEXT, method, thisArg, args);
  const transport = transportNameOf(server.transportId);
  consumeByDriver(server, 'server', transport);
  for (const name of transport === 'redis' ? ['createRedisClient', 'bindEvents', 'close'] : ['close'])
    interceptMethod(server, name, once);
  interceptMethod(server, 'sendMessage', (sendMessage, thisArg, args) =>
    callWithoutTracing(context.active(), sendMessage, thisArg, args),
  );
  interceptMethod(server, 'getPublisher', (getPublisher, thisArg, args) => {
    const publish: unknown = Reflect.apply(getPublisher, thisArg, args);
    if (typeof publish !== 'function') return publish;
    return (...answer: unknown[]) => callWithoutTracing(context.active(), publish as AnyMethod, undefined, answer);
  });
}
