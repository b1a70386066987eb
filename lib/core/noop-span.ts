import { INVALID_SPAN_CONTEXT, trace, type Span } from '@opentelemetry/api';

let span: Span | undefined;

/** Returns the no-op span, for operations that have no span of their own. */
export function noopSpan(): Span {
  return (span ??= trace.wrapSpanContext(INVALID_SPAN_CONTEXT));
}
