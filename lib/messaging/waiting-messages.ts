import { context } from '@opentelemetry/api';
import { callInContext } from '../core/context-manager.js';
import { interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import { suppressTracing } from '../core/suppression.js';

/**
 * Keeps the messages out of the trace that wait in the channel of a server or a client for RabbitMQ while the broker is away. The channel, of
 * `amqp-connection-manager`, sends them in the context of the next connection, where another instrumentation would give each a trace of its
 * own, and write that over the trace context that the message carries.
 *
 * @returns a function that undoes it; undefined if there is nothing to do
 */
export function suppressWaitingMessages(owner: object): (() => void) | undefined {
  const channel: unknown = Reflect.get(owner, 'channel');
  if (!isObject(channel)) return undefined;
  return interceptMethod(channel, '_startWorker', (startWorker, thisArg, args) =>
    callInContext(suppressTracing(context.active()), startWorker, thisArg, args),
  );
}
