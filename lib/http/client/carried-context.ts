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
 * Whose trace context a message carries already: that of the active span, which the application put there; that of the
 * caller that is being served, passed on as it came; that of an earlier request, copied from there; or that of a span which
 * another instrumentation has made for this message.
 */
export type Carried = 'none' | 'active span' | 'caller' | 'earlier request' | 'foreign';

/** Ids of client spans whose context went into a message, as many as may still be copied from there. */
const injected = new Set<string>();
const MAX_INJECTED = 1024;

/** The trace contexts in the headers of a message: one for each format of the registered propagator that it has one in. */
export function carriedContexts(message: Headers): SpanContext[] {
  let present: Record<string, string | string[]> | undefined;
  for (const field of propagation.fields()) {
    const value = message.header(field);
    if (value !== undefined) (present ??= {})[field] = value;
  }
  return present ? readContexts(present) : [];
}

/** @param caller the context in which the message is sent */
export function ownerOf(carried: readonly SpanContext[], caller: Context): Carried {
  let owner: Carried = 'none';
  for (const spanContext of carried) {
    const next = ownerOfOne(spanContext, caller);
    if (next === 'foreign') return next;
    // What is out of date in one format is so for the message.
    if (owner === 'none' || owner === 'active span') owner = next;
  }
  return owner;
}

/** Remembers that a message was given the context of its own client span. */
export function rememberInjected(context: Context): void {
  const spanId = trace.getSpanContext(context)?.spanId;
  if (spanId === undefined) return;
  injected.add(spanId);
  const [oldest] = injected;
  if (oldest !== undefined && injected.size > MAX_INJECTED) injected.delete(oldest);
}

function ownerOfOne(carried: SpanContext, caller: Context): Carried {
  // First: the caller may be a client of this very process.
  if (isCaller(carried, caller)) return 'caller';
  if (injected.has(carried.spanId)) return 'earlier request';
  const span = trace.getSpan(caller);
  const own = span?.spanContext();
  if (own?.spanId !== carried.spanId || own.traceId !== carried.traceId) return 'foreign';
  // Instrumentations that wrap a client make their own span the active one while they call it.
  return (span as { kind?: SpanKind }).kind === SpanKind.CLIENT ? 'foreign' : 'active span';
}

// Each header alone first: where several formats are there, a propagator lets one of them win.
function readContexts(present: Record<string, string | string[]>): SpanContext[] {
  const found: SpanContext[] = [];
  const parts: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(present)) {
    const values = Array.isArray(value) ? [...new Set(value)] : [value];
    const contexts = values.map((one) => readContext({ [name]: one })).filter((one) => one !== undefined);
    if (contexts.length > 0) found.push(...contexts);
    else parts[name] = values[0] ?? '';
  }
  const composed = readContext(parts);
  return composed ? [...found, composed] : found;
}

function readContext(carrier: Record<string, string | string[]>): SpanContext | undefined {
  return trace.getSpanContext(propagation.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter));
}
