import type { Attributes } from '@opentelemetry/api';
import { isObject } from '../../core/is-object.js';
import { cutText } from '../../core/cut-text.js';
import { callSafely } from '../../core/diagnostics.js';
import type { MessageDescription } from '../conventions.js';
import { patternText } from '../pattern-text.js';
import { CUSTOM, transportNameOf } from '../transports.js';
import type { Arrival } from './arrival.js';
import type { MessageServer } from './message-server.js';
import { serverWires } from './server-wire.js';

/** A handler that Nest adds to a transport. */
export interface Handler {
  readonly pattern: unknown;
  readonly isEventHandler: boolean;
}

export interface ReceivedMessage extends MessageDescription {
  /** What carries the trace context, as it was received. */
  readonly headers: object | undefined;
  /** Attributes of the transport. */
  readonly attributes: Attributes | undefined;
  /** The context object that Nest passes to the handlers of the message. */
  readonly rpcContext: unknown;
}

/** Describes a message that a handler is about to be called with. */
export function describeHandled(
  server: MessageServer,
  { isEventHandler, pattern }: Handler,
  args: readonly unknown[],
  arrival: Arrival | undefined,
): ReceivedMessage {
  const rpcContext = args.at(-1);
  const base = { pattern: patternText(pattern, server), side: 'server', isMatched: true, rpcContext } as const;
  const described = arrival && describeArrival(server, arrival);
  if (!described) {
    const transport = transportNameOf(server.transportId) ?? CUSTOM;
    const type = isEventHandler ? 'event' : 'request';
    return { ...base, type, transport, headers: metadataOf(rpcContext), attributes: undefined };
  }
  const { isRequest, ...wire } = described;
  // Nest's transport for Kafka answers nothing for the handler of an event.
  const isAnswered = (isRequest ?? !isEventHandler) && !(wire.transport === 'kafka' && isEventHandler);
  return { ...base, ...wire, type: isAnswered ? 'request' : 'event' };
}

/** Describes a message that no handler is called with. The pattern is the sender's, so it is no name. */
export function describeUnhandled(server: MessageServer, arrival: Arrival): ReceivedMessage {
  const { isRequest, ...wire } = describeArrival(server, arrival) ?? UNKNOWN;
  return {
    ...wire,
    pattern: patternText(
      (arrival.packet as { pattern?: unknown } | undefined)?.pattern ?? wire.destination ?? '',
      server,
    ),
    type: isRequest ? 'request' : 'event',
    side: 'server',
    isMatched: false,
    rpcContext: undefined,
  };
}

const UNKNOWN = {
  isRequest: false,
  transport: CUSTOM,
  headers: undefined,
  attributes: undefined,
  destination: undefined,
};

function describeArrival(server: MessageServer, { args, packet }: Arrival) {
  const transport = transportNameOf(server.transportId);
  if (!transport) return undefined;
  const wire = serverWires[transport];
  const read = <T>(part: () => T) => callSafely(`Reading a message of ${transport}`, part);
  const headers = read(() => wire.headersOf(args, packet));
  return {
    transport,
    // Undefined if the deserializer cannot be observed.
    isRequest: packet === undefined && transport !== 'kafka' ? undefined : read(() => wire.isRequest(args, packet)),
    headers: isObject(headers) ? headers : undefined,
    attributes: read(() => wire.attributesOf?.(args, server)),
    destination: cutDestination(read(() => wire.destinationOf?.(args, server))),
  };
}

/** The number of characters of a destination that are recorded. */
const MAX_DESTINATION = 1024;

function cutDestination(destination: string | undefined): string | undefined {
  return destination === undefined ? undefined : cutText(destination, MAX_DESTINATION);
}

/** Returns the metadata of a message of the application's own transport, if its context has the method of `TcpContext` and `RedisContext`. */
function metadataOf(rpcContext: unknown): object | undefined {
  if (!isObject(rpcContext)) return undefined;
  const { getMetadata } = rpcContext as { getMetadata?: unknown };
  if (typeof getMetadata !== 'function') return undefined;
  const metadata: unknown = callSafely('getMetadata() of a message', () => Reflect.apply(getMetadata, rpcContext, []));
  return isObject(metadata) ? metadata : undefined;
}
