import { context } from '@opentelemetry/api';
import { callInContext } from '../../core/context-manager.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { suppressTracing } from '../../core/suppression.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { transportNameOf } from '../transports.js';
import type { MessageServer } from './message-server.js';

/** Keeps the command by which the Redis transport sends an answer out of the trace: the span of the message stands for it. */
export function watchReplies(server: MessageServer): void {
  if (transportNameOf(server.transportId) !== 'redis') return;
  interceptMethod(server, 'send', (send, thisArg, [stream, respond, ...rest]) => {
    if (typeof respond !== 'function') return Reflect.apply(send, thisArg, [stream, respond, ...rest]);
    const reply = (...args: unknown[]) =>
      callInContext(suppressTracing(context.active()), respond as AnyMethod, undefined, args);
    return Reflect.apply(send, thisArg, [stream, reply, ...rest]);
  });
}
