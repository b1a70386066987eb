import { ROOT_CONTEXT, type TextMapGetter } from '@opentelemetry/api';
import { evaluatePredicate } from '../core/diagnostics.js';
import type { UpDownCounter } from '../core/instruments.js';
import type { OperationMeter } from '../core/operation-meter.js';
import { isCallerTrusted, resolvePlacement, type SpanPlacement } from '../core/span-placement.js';
import type { IncomingSocketMessage, ResolvedWebSockets } from '../options/websockets.js';
import type { Namespaces } from './namespaces.js';

/** The options and the meters for the messages and connections of an application. */
export interface SocketTracing extends ResolvedWebSockets {
  readonly namespaces: Namespaces;
  /** Undefined if the application measures nothing. */
  readonly meter: OperationMeter | undefined;
  /** Undefined if the application measures nothing. */
  readonly activeConnections: UpDownCounter | undefined;
}

/** True if a message is not traced. */
export function isIgnored(message: IncomingSocketMessage, { ignore }: SocketTracing): boolean {
  return ignore !== undefined && (evaluatePredicate('websockets.ignore', () => ignore(message)) ?? false);
}

/**
 * Places the span of a message below the span of its client, if there is one and the client is trusted. The parent is never the active
 * context: a socket keeps the one in which it was created, so that all messages of a client would be one trace.
 */
export function placeMessage<Carrier>(
  message: IncomingSocketMessage,
  carrier: Carrier | undefined,
  getter: TextMapGetter<Carrier>,
  { trustIncoming }: SocketTracing,
): SpanPlacement {
  if (carrier === undefined) return { parent: ROOT_CONTEXT };
  const isTrusted = isCallerTrusted('websockets.trustIncoming', trustIncoming, message);
  return resolvePlacement(ROOT_CONTEXT, carrier, getter, isTrusted);
}
