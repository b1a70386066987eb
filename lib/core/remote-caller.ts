import { createContextKey, trace, type Context, type Span, type SpanContext } from '@opentelemetry/api';
import { IncomingOperation } from './incoming-operation.js';

const EXTRACTED = createContextKey('nestjs-tracing extracted caller');

/** Keeps the remote parent in a context that it was extracted into, for the spans that are started further in. */
export function rememberCaller(extracted: Context): Context {
  const caller = trace.getSpanContext(extracted);
  return caller?.isRemote ? extracted.setValue(EXTRACTED, caller) : extracted;
}

/**
 * True if `candidate` is the caller of what is served in a context: of a request or a call, or of a message whose trace context
 * the application extracted.
 */
export function isCaller(candidate: SpanContext, serving: Context): boolean {
  const active = trace.getSpan(serving);
  return (
    isSameSpan(candidate, IncomingOperation.in(serving)?.caller) ||
    isSameSpan(candidate, serving.getValue(EXTRACTED) as SpanContext | undefined) ||
    isSameSpan(candidate, remote(active?.spanContext())) ||
    // Spans of other instrumentations, too, if they are the SDK's.
    isSameSpan(candidate, remote(parentOf(active)))
  );
}

/** The parent of a span of the SDK, which the API does not expose. */
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
