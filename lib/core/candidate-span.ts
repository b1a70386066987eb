import type { Span } from '@opentelemetry/api';

/** A span of the library, whose trace may be exported although it is not sampled. */
interface CandidateSpan extends Span {
  readonly isUndecided?: boolean;
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
