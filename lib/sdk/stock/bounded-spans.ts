import { TraceFlags } from '@opentelemetry/api';
import { reportIgnored } from '../../core/diagnostics.js';
import type { SpanProcessor } from '../../options/sdk-types.js';
import { boundSpan, type SpanBounds } from './bound-span.js';

/** Returns a processor that bounds and repairs each sampled span, before any exporter reads it. */
export function boundSpans(bounds: SpanBounds): SpanProcessor {
  return {
    onStart() {},
    onEnd(span) {
      if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
      try {
        boundSpan(span, bounds);
      } catch (error) {
        reportIgnored('Bounding a span', error);
      }
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}
