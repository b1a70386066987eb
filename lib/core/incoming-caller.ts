import {
  createContextKey,
  propagation,
  trace,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  type TextMapGetter,
} from '@opentelemetry/api';
import { guarded, isConfirmed } from './diagnostics.js';
import { entryIn } from './entry.js';

const EXTRACTED = createContextKey('nestjs-tracing extracted caller');

/** Where the span of something that came in stands. */
export interface Stand {
  readonly parent: Context;
  readonly links?: Link[];
  /** The span context that came in, trusted or not, if it is valid. */
  readonly caller?: SpanContext;
}

/** Whether a caller is trusted: where nothing is said of it, or where the application clearly says so. */
export function trusts<T>(option: string, trustIncoming: ((caller: T) => boolean) | undefined, caller: T): boolean {
  return !trustIncoming || isConfirmed(option, () => trustIncoming(caller));
}

/**
 * Below its caller, if that sent a trace context that is well formed. One that is not trusted is only linked to: nothing of
 * its trace, its sampling decision or its baggage is adopted.
 */
export function standOf<Carrier>(
  outer: Context,
  carrier: Carrier,
  getter: TextMapGetter<Carrier>,
  trusted: boolean,
): Stand {
  const extracted = guarded('The propagator', () => propagation.extract(outer, carrier, getter)) ?? outer;
  const caller = remoteSpanContext(extracted, outer);
  const known = caller && { caller };
  if (trusted) return { parent: extracted, ...known };
  const parent = propagation.deleteBaggage(trace.deleteSpan(outer));
  if (!caller) return { parent };
  const { traceId, spanId, traceFlags } = caller;
  return { parent, links: [{ context: { traceId, spanId, traceFlags, isRemote: true } }], ...known };
}

function remoteSpanContext(extracted: Context, outer: Context): SpanContext | undefined {
  const spanContext = trace.getSpanContext(extracted);
  if (!spanContext || !trace.isSpanContextValid(spanContext)) return undefined;
  return spanContext.isRemote || spanContext !== trace.getSpanContext(outer) ? spanContext : undefined;
}

/** Keeps in a context whose trace context was extracted into it, for the spans that are started further in. */
export function rememberCaller(extracted: Context): Context {
  const caller = trace.getSpanContext(extracted);
  return caller?.isRemote ? extracted.setValue(EXTRACTED, caller) : extracted;
}

/**
 * True if `candidate` is the caller of what is served in this context: of a request or a call, or of a message whose trace
 * context the application extracted.
 */
export function isCaller(candidate: SpanContext, serving: Context): boolean {
  const active = trace.getSpan(serving);
  return (
    isSameSpan(candidate, entryIn(serving)?.caller) ||
    isSameSpan(candidate, serving.getValue(EXTRACTED) as SpanContext | undefined) ||
    isSameSpan(candidate, remote(active?.spanContext())) ||
    // Spans of other instrumentations, too, if they are the SDK's.
    isSameSpan(candidate, remote(parentOf(active)))
  );
}

/** The parent of a span of the SDK, which the API does not tell. */
export function parentOf(
  span: (Span & { readonly parentSpanContext?: SpanContext }) | undefined,
): SpanContext | undefined {
  return span?.parentSpanContext;
}

function remote(spanContext: SpanContext | undefined): SpanContext | undefined {
  return spanContext?.isRemote ? spanContext : undefined;
}

function isSameSpan(one: SpanContext, other: SpanContext | undefined): boolean {
  return one.spanId === other?.spanId && one.traceId === other.traceId;
}
