import { isSpanContextValid, type Span, type SpanContext, type TraceState } from '@opentelemetry/api';
import { RANDOM, traceStateWith } from '../propagation/trace-state.js';
import { IdentifiedSpan } from './identified-span.js';
import { LocalTrace } from './local-trace.js';
import { withSerializableState } from './serializable-state.js';
import { TraceId } from './trace-ids.js';

/** The place at which a span begins: in a trace that is continued, or at the beginning of a new one. */
export interface Origin {
  readonly trace: LocalTrace;
  /** A span of the library, or the span context of another parent. Undefined if the trace begins here. */
  readonly parent: IdentifiedSpan | SpanContext | undefined;
  readonly traceState: TraceState | undefined;
}

/** Returns the origin of a span. */
export function originBelow(parent: Span | undefined): Origin {
  if (parent instanceof IdentifiedSpan) return { trace: parent.trace, parent, traceState: parent.traceState };
  const spanContext = parent?.spanContext();
  if (!spanContext || !isSpanContextValid(spanContext)) {
    return { trace: new LocalTrace(TraceId.random()), parent: undefined, traceState: traceStateWith(RANDOM) };
  }
  const usable = withSerializableState(spanContext);
  return { trace: new LocalTrace(TraceId.parse(usable.traceId)), parent: usable, traceState: usable.traceState };
}
