import type { Attributes } from '@opentelemetry/api';
import { callSafely } from '../../core/diagnostics.js';
import { IncomingOperation } from '../../core/incoming-operation.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { transportNameOf } from '../transports.js';
import type { MessageServer } from './message-server.js';

/** The channels that are observed. */
const channels = new WeakSet<object>();

/** The methods of a channel that settle messages, and the position of the argument that puts the message back into its queue. */
const SETTLING_METHODS = [
  { name: 'ack', requeue: undefined },
  { name: 'nack', requeue: 2 },
  { name: 'reject', requeue: 1 },
] as const;

/**
 * Records acknowledgements of RabbitMQ as events of the span in whose context the application settles a message. A message that is rejected
 * and not put back goes to the dead-letter exchange of its queue, if there is one.
 */
export function watchSettlements(server: MessageServer, [, channel]: readonly unknown[]): void {
  if (transportNameOf(server.transportId) !== 'rabbitmq' || !isObject(channel) || channels.has(channel)) return;
  channels.add(channel);
  for (const { name, requeue } of SETTLING_METHODS) {
    interceptMethod(channel, name, (settleMessage, thisArg, args) => {
      callSafely('Recording an acknowledgement', () =>
        record(name, requeue === undefined ? undefined : args[requeue] !== false),
      );
      return Reflect.apply(settleMessage, thisArg, args);
    });
  }
}

function record(name: string, isRequeued: boolean | undefined): void {
  const incoming = IncomingOperation.active();
  if (!incoming?.isRecording) return;
  const attributes: Attributes = isRequeued === undefined ? {} : { 'messaging.rabbitmq.requeue': isRequeued };
  incoming.span.addEvent(`messaging.${name}`, attributes);
  if (isRequeued === false) incoming.span.addEvent('messaging.dead_letter');
}
