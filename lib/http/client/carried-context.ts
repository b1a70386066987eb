import {
  defaultTextMapGetter,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Context,
  type SpanContext,
} from '@opentelemetry/api';
import { isCaller } from '../../core/remote-caller.js';
import type { Headers } from './outgoing-message.js';

/**
 * The owner of the trace context that a message already carries:
 * - `active span`: the application has injected the context of the active span.
 * - `caller`: the application has passed on the headers of the request that it serves.
 * - `earlier request`: the application has copied the headers of an earlier outgoing request.
 * - `foreign`: another instrumentation has made a span for this message.
 */
export type ContextOwner = 'none' | 'active span' | 'caller' | 'earlier request' | 'foreign';

/** The ids of the latest client spans whose context was injected into a message. */
const injectedSpanIds = new Set<string>();
const MAX_INJECTED_SPAN_IDS = 1024;

/** The trace contexts in the headers of a message. There may be one for each format of the registered propagator. */
export function carriedContexts(message: Headers): SpanContext[] {
  let present: Record<string, string | string[]> | undefined;
  for (const field of propagation.fields()) {
    const value = message.header(field);
    if (value !== undefined) (present ??= {})[field] = value;
  }
  return present ? readContexts(present) : [];
}

/**
 * Returns the owner of the trace contexts that a message carries.
 *
 * @param caller the context in which the message is sent
 */
export function contextOwner(carried: readonly SpanContext[], caller: Context): ContextOwner {
  let owner: ContextOwner = 'none';
  for (const spanContext of carried) {
    const next = ownerOf(spanContext, caller);
    if (next === 'foreign') return next;
    // If the context of one format is outdated, that of the message is outdated.
    if (owner === 'none' || owner === 'active span') owner = next;
  }
  return owner;
}

/** Remembers that the context of a client span was injected into its message. */
export function rememberInjected(context: Context): void {
  const spanId = trace.getSpanContext(context)?.spanId;
  if (spanId === undefined) return;
  injectedSpanIds.add(spanId);
  const [oldest] = injectedSpanIds;
  if (oldest !== undefined && injectedSpanIds.size > MAX_INJECTED_SPAN_IDS) injectedSpanIds.delete(oldest);
}

function ownerOf(carried: SpanContext, caller: Context): ContextOwner {
  // Checked first, because the caller may be a client in this very process.
  if (isCaller(carried, caller)) return 'caller';
  if (injectedSpanIds.has(carried.spanId)) return 'earlier request';
  const span = trace.getSpan(caller);
  const own = span?.spanContext();
  if (own?.spanId !== carried.spanId || own.traceId !== carried.traceId) return 'foreign';
  // An instrumentation that wraps a client makes its own client span the active one while it calls the client.
  return (span as { kind?: SpanKind }).kind === SpanKind.CLIENT ? 'foreign' : 'active span';
}

/** Reads each header alone first: of several formats together, a propagator would read only one. */
function readContexts(present: Record<string, string | string[]>): SpanContext[] {
  const found: SpanContext[] = [];
  const incomplete: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(present)) {
    const values = Array.isArray(value) ? [...new Set(value)] : [value];
    const contexts = values.map((one) => readContext({ [name]: one })).filter((one) => one !== undefined);
    if (contexts.length > 0) found.push(...contexts);
    else incomplete[name] = values[0] ?? '';
  }
  // A format may consist of several headers.
  const composed = readContext(incomplete);
  return composed ? [...found, composed] : found;
}

function readContext(carrier: Record<string, string | string[]>): SpanContext | undefined {
  return trace.getSpanContext(propagation.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter));
}
