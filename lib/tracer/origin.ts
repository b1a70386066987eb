import { isSpanContextValid, type Span, type SpanContext, type TraceState } from '@opentelemetry/api';
import { RANDOM, traceStateWith } from '../propagation/trace-state.js';
import { currentClock } from './clock.js';
import { IdentifiedSpan, type LocalTrace } from './identified-span.js';
import { TraceId } from './trace-ids.js';

/** The place at which a span begins: in a trace that is continued, or at the beginning of a new one. */
export interface Origin {
  readonly trace: LocalTrace;
  /** A span of the library, or the span context of another parent. Undefined if the trace begins here. */
  readonly parent: IdentifiedSpan | SpanContext | undefined;
  readonly traceState: TraceState | undefined;
}

/**
 * Returns the origin of a span.
 *
 * @param startedAt a reading of the monotonic clock that was just taken
 */
export function originBelow(parent: Span | undefined, startedAt: number): Origin {
  if (parent instanceof IdentifiedSpan) {
    return { trace: traceOf(parent, startedAt), parent, traceState: parent.traceState };
  }
  const clock = currentClock(startedAt);
  const spanContext = parent?.spanContext();
  if (!spanContext || !isSpanContextValid(spanContext)) {
    return { trace: { id: TraceId.random(), clock }, parent: undefined, traceState: traceStateWith(RANDOM) };
  }
  const { traceId, traceState } = spanContext;
  return { trace: { id: TraceId.parse(traceId), clock }, parent: spanContext, traceState };
}

/** Returns the trace of the parent. After a sleep of the machine, in which the monotonic clock stands still, it has another clock. */
function traceOf({ trace }: IdentifiedSpan, startedAt: number): LocalTrace {
  return trace.clock.isBehind(startedAt) ? { id: trace.id, clock: currentClock(startedAt) } : trace;
}
