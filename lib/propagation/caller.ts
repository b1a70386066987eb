import { trace, TraceFlags, type Context, type SpanContext } from '@opentelemetry/api';
import { DEBUG, RANDOM, stateWith, traitsOf, UNDECIDED, type TraceState } from './trace-state.js';

/** The flag of W3C's level 2 for trace ids that are made at random. */
export const RANDOM_FLAG = 0x2;

/** What one format says of the caller's span. */
export interface Caller {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  readonly traits: number;
}

/**
 * The context with the caller's span in it. Where another format has named the same trace before, what this one has no
 * word for stays: a tracestate, the flag of a random id, a decision.
 */
export function withCaller(context: Context, caller: Caller, state?: TraceState): Context {
  const { traceId, spanId } = caller;
  const before = sameTrace(trace.getSpanContext(context), traceId);
  let { sampled, traits } = caller;
  if (before) {
    const known = traitsOf(before);
    if (traits & UNDECIDED && !(known & UNDECIDED)) {
      sampled = (before.traceFlags & TraceFlags.SAMPLED) !== 0;
      traits &= ~UNDECIDED;
    }
    traits |= known & (sampled ? RANDOM | DEBUG : RANDOM);
  }
  const span: SpanContext = {
    traceId,
    spanId,
    traceFlags: (sampled ? TraceFlags.SAMPLED : 0) | (traits & RANDOM ? RANDOM_FLAG : 0),
    isRemote: true,
  };
  const traceState = stateWith(traits, state ?? before?.traceState);
  if (traceState) span.traceState = traceState;
  return trace.setSpanContext(context, span);
}

function sameTrace(span: SpanContext | undefined, traceId: string): SpanContext | undefined {
  return span?.isRemote && span.traceId === traceId ? span : undefined;
}
