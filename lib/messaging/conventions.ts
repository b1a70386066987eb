import { SpanKind, type Attributes } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE, ATTR_RPC_METHOD, ATTR_RPC_SYSTEM_NAME } from '@opentelemetry/semantic-conventions';
import { definedAttributes } from '../core/defined-attributes.js';
import { errorType } from '../core/exception.js';
import type { CallOutcome } from '../core/incoming-work.js';
import {
  ATTR_DESTINATION_NAME,
  ATTR_MESSAGING_SYSTEM,
  ATTR_OPERATION_NAME,
  ATTR_OPERATION_TYPE,
} from '../core/messaging-conventions.js';
import type { TransportedMessage } from '../options/messaging.js';

// The name is still in development, so the package of the semantic conventions does not export it as stable.
const ATTR_DESTINATION_TEMPLATE = 'messaging.destination.template';

/** The value of `rpc.system.name` of requests over the transports of Nest, whose form is Nest's own. */
const NEST = 'nestjs';

/** The method of a request that no handler has: the pattern of such a request is the client's, and may be anything. */
const OTHER = '_OTHER';

/** A message in the terms of the semantic conventions. */
export interface MessageDescription extends TransportedMessage {
  /** False if no handler has the pattern. */
  readonly isMatched: boolean;
  /** The topic, channel, subject or queue of the message. Undefined if it is the pattern. */
  readonly destination?: string | undefined;
}

/** A request is a remote procedure call; an event is a message that is sent, or processed. */
export function spanKindOf({ side, type }: MessageDescription): SpanKind {
  if (type === 'request') return side === 'client' ? SpanKind.CLIENT : SpanKind.SERVER;
  return side === 'client' ? SpanKind.PRODUCER : SpanKind.CONSUMER;
}

export function spanNameOf(message: MessageDescription): string {
  const { isMatched, pattern, type } = message;
  if (type === 'request') return isMatched ? pattern : OTHER;
  return isMatched ? `${operationOf(message)} ${pattern}` : operationOf(message);
}

/** Returns the attributes that are known when the message is sent, or has arrived. */
export function messageAttributes(message: MessageDescription): Attributes {
  const { destination = message.pattern, pattern, transport } = message;
  const operation = operationOf(message);
  return {
    ...callAttributes(message),
    [ATTR_MESSAGING_SYSTEM]: transport,
    [ATTR_OPERATION_NAME]: operation,
    [ATTR_OPERATION_TYPE]: operation === 'request' ? 'send' : operation,
    [ATTR_DESTINATION_NAME]: destination,
    ...(isTemplate(message) && { [ATTR_DESTINATION_TEMPLATE]: pattern }),
  };
}

/** Returns the attributes of the measurement of a message that is over. */
export function measuredAttributes(message: MessageDescription, outcome: CallOutcome): Attributes {
  const failure = errorTypeOf(message, outcome);
  if (message.type === 'request') return definedAttributes({ ...callAttributes(message), [ATTR_ERROR_TYPE]: failure });
  return definedAttributes({
    [ATTR_MESSAGING_SYSTEM]: message.transport,
    [ATTR_OPERATION_NAME]: operationOf(message),
    [ATTR_DESTINATION_NAME]: message.isMatched ? message.pattern : undefined,
    [ATTR_ERROR_TYPE]: failure,
  });
}

/** Returns the attributes of the metric of active requests. Events have no such metric. */
export function activeAttributes(message: MessageDescription): Attributes {
  return callAttributes(message);
}

/** The error type of a request whose sender has stopped to wait before there was an answer. */
export const CANCELLED = 'CANCELLED';
/** The error type of a message that no handler has the pattern of. */
export const UNMATCHED = 'unmatched_pattern';

/** Returns the error type of a message that is over. Undefined if it has not failed. */
export function errorTypeOf({ isMatched, side }: MessageDescription, outcome: CallOutcome): string | undefined {
  if (outcome.type === 'failed') return errorType(outcome.thrown);
  if (!isMatched) return UNMATCHED;
  return outcome.type === 'cancelled' && side === 'client' ? CANCELLED : undefined;
}

function callAttributes({ isMatched, pattern, type }: MessageDescription): Attributes {
  return type === 'request' ? { [ATTR_RPC_SYSTEM_NAME]: NEST, [ATTR_RPC_METHOD]: isMatched ? pattern : OTHER } : {};
}

function operationOf({ side, type }: MessageDescription): 'request' | 'send' | 'process' {
  if (side === 'server') return 'process';
  return type === 'request' ? 'request' : 'send';
}

/** True if the handler has a pattern with wildcards, which stands for many destinations. */
function isTemplate({ destination, pattern, isMatched, side }: MessageDescription): boolean {
  return (
    isMatched && side === 'server' && destination !== undefined && destination !== pattern && /[*#+>]/.test(pattern)
  );
}
