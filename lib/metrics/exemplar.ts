import { isSpanContextValid, type Span } from '@opentelemetry/api';
import { isSampled } from '../core/sampled.js';
import type { Labels } from './prom-client.js';

/**
 * The labels of an exemplar, which lead from a measurement to its trace. Undefined if the span is not sampled: no backend
 * has its trace then.
 */
export function exemplarLabels(span: Span | undefined): Labels | undefined {
  if (!span || !isSampled(span)) return undefined;
  const context = span.spanContext();
  if (!isSpanContextValid(context)) return undefined;
  return { trace_id: context.traceId, span_id: context.spanId };
}
