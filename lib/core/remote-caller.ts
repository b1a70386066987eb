import { createContextKey, trace, type Context, type Span, type SpanContext } from '@opentelemetry/api';
import { IncomingOperation } from './incoming-operation.js';

const EXTRACTED = createContextKey('nestjs-tracing extracted caller');

/** Returns a context that remembers the remote parent which was extracted into it, for `isCaller()` further in. */
export function rememberCaller(extracted: Context): Context {
  const caller = trace.getSpanContext(extracted);
  return caller?.isRemote ? extracted.setValue(EXTRACTED, caller) : extracted;
}

/**
 * True if `candidate` is the span context of the caller in a context: the caller of the incoming exchange that is served there, or the
 * sender of a message whose trace context the application has extracted itself.
 */
export function isCaller(candidate: SpanContext, serving: Context): boolean {
  const active = trace.getSpan(serving);
  return (
    isSameSpan(candidate, IncomingOperation.in(serving)?.caller) ||
    isSameSpan(candidate, serving.getValue(EXTRACTED) as SpanContext | undefined) ||
    isSameSpan(candidate, ifRemote(active?.spanContext())) ||
    // This covers spans of other instrumentations, if they are spans of the SDK.
    isSameSpan(candidate, ifRemote(parentSpanContextOf(active)))
  );
}

/** Returns the parent of a span of the SDK, which the API does not expose. Undefined for any other span. */
export function parentSpanContextOf(
  span: (Span & { readonly parentSpanContext?: SpanContext }) | undefined,
): SpanContext | undefined {
  return span?.parentSpanContext;
}

function ifRemote(spanContext: SpanContext | undefined): SpanContext | undefined {
  return spanContext?.isRemote ? spanContext : undefined;
}

function isSameSpan(one: SpanContext, other: SpanContext | undefined): boolean {
  return one.spanId === other?.spanId && one.traceId === other.traceId;
}
