import { TraceFlags, type SpanContext } from '@opentelemetry/api';

interface FlaggedSpan {
  /** A span of the library has its flags as a property, without the ids, whose text takes time to make. */
  readonly traceFlags?: number;
  spanContext(): SpanContext;
}

/** True if the trace of a span is sampled. */
export function isSampled(span: FlaggedSpan): boolean {
  const flags = span.traceFlags ?? span.spanContext().traceFlags;
  return (flags & TraceFlags.SAMPLED) !== 0;
}
