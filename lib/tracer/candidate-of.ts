import { TraceFlags, type Context, type SpanKind } from '@opentelemetry/api';
import { samplingRequestFor } from '../propagation/sampling-request.js';
import { traitsOf, UNDECIDED } from '../propagation/trace-state.js';
import type { CandidateTrace, CandidateTraces } from './candidate-trace.js';
import { IdentifiedSpan } from './identified-span.js';
import type { Origin } from './origin.js';

/** Returns the candidate to which an unsampled span belongs, or begins it if the span is a local root. Undefined if the span is not recorded. */
export function candidateOf(
  { parent, trace }: Origin,
  within: Context,
  kind: SpanKind | undefined,
  candidates: CandidateTraces,
): CandidateTrace | undefined {
  if (parent instanceof IdentifiedSpan) return trace.candidate?.isDiscarded === false ? trace.candidate : undefined;
  if (!candidates.rule.partialTraces) {
    const isUnsampledByCaller = parent
      ? ((parent.traceFlags & TraceFlags.SAMPLED) | (traitsOf(parent) & UNDECIDED)) === 0
      : samplingRequestFor(kind, within)?.sampled === false;
    // The other services of the trace export nothing of it.
    if (isUnsampledByCaller) return undefined;
  }
  return (trace.candidate = candidates.begin());
}
