import { trace, TraceFlags, type Context, type Span } from '@opentelemetry/api';

/** A span of the library, whose trace may be exported although it is not sampled. */
interface CandidateSpan extends Span {
  readonly isUndecided?: boolean;
  /** True for a span that has ended and is exported, although its trace is not sampled. */
  readonly isKept?: boolean;
  discardCandidate?(): void;
}

/** True if the trace of a span is not sampled, and it is not known yet whether it is exported. */
export function isUndecided(span: CandidateSpan): boolean {
  return span.isUndecided === true;
}

/** Reports that a span is never exported, and will not end: its trace would wait for it. */
export function discardCandidate(span: CandidateSpan): void {
  span.discardCandidate?.();
}

/**
 * Returns a context for injection into a carrier. A kept span is marked as sampled for its export, but other services go on to be told that
 * the trace is not sampled: they have exported nothing of it before.
 */
export function withPropagatedDecision(context: Context): Context {
  const span: CandidateSpan | undefined = trace.getSpan(context);
  if (span?.isKept !== true) return context;
  return trace.setSpanContext(context, { ...span.spanContext(), traceFlags: TraceFlags.NONE });
}
