import { isSpanContextValid, TraceFlags, type Span } from '@opentelemetry/api';
import type { Labels } from './prom-client.js';

/**
 * The labels of an exemplar, which lead from a measurement to its trace. Undefined if the span is not sampled: no backend
 * has its trace then.
 */
export function exemplarLabels(span: Span | undefined): Labels | undefined {
  const context = span?.spanContext();
  if (!context || (context.traceFlags & TraceFlags.SAMPLED) === 0 || !isSpanContextValid(context)) return undefined;
  return { trace_id: context.traceId, span_id: context.spanId };
}
