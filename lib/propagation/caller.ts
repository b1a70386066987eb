import { trace, TraceFlags, type Context, type SpanContext } from '@opentelemetry/api';
import { DEBUG, RANDOM, traceStateWith, traitsOf, UNDECIDED, type TraceState } from './trace-state.js';

/** The trace flag of W3C Trace Context, level 2, for trace ids that are random. */
export const RANDOM_FLAG = 0x2;

/** The caller's span as one format describes it. */
export interface Caller {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  readonly traits: number;
}

/**
 * Returns a context with the caller's span as remote parent. If another format has named the same trace before, it keeps what this
 * format cannot express: the tracestate, the flag of a random id, the sampling decision.
 */
export function withCaller(context: Context, caller: Caller, state?: TraceState): Context {
  const { traceId, spanId } = caller;
  const before = remoteParentIn(context, traceId);
  let { sampled, traits } = caller;
  if (before) {
    const traitsBefore = traitsOf(before);
    if (traits & UNDECIDED && !(traitsBefore & UNDECIDED)) {
      sampled = (before.traceFlags & TraceFlags.SAMPLED) !== 0;
      traits &= ~UNDECIDED;
    }
    traits |= traitsBefore & (sampled ? RANDOM | DEBUG : RANDOM);
  }
  const span: SpanContext = {
    traceId,
    spanId,
    traceFlags: (sampled ? TraceFlags.SAMPLED : 0) | (traits & RANDOM ? RANDOM_FLAG : 0),
    isRemote: true,
  };
  const traceState = traceStateWith(traits, state ?? before?.traceState);
  if (traceState) span.traceState = traceState;
  return trace.setSpanContext(context, span);
}

/** Returns the remote parent in a context, if it belongs to this trace. */
function remoteParentIn(context: Context, traceId: string): SpanContext | undefined {
  const span = trace.getSpanContext(context);
  return span?.isRemote && span.traceId === traceId ? span : undefined;
}
