import { isSpanContextValid, TraceFlags, type Span } from '@opentelemetry/api';
import type { Labels } from './prom-client.js';

/** What leads from a measurement to its trace: only where that is kept, or the link would lead nowhere. */
export function exemplarLabels(span: Span | undefined): Labels | undefined {
  const context = span?.spanContext();
  if (!context || (context.traceFlags & TraceFlags.SAMPLED) === 0 || !isSpanContextValid(context)) return undefined;
  return { trace_id: context.traceId, span_id: context.spanId };
}
