import { isSpanContextValid, trace } from '@opentelemetry/api';

/** The fields by which a log line refers to its span. */
export interface TraceLogFields {
  /** 32 hexadecimal digits. */
  readonly trace_id: string;
  /** 16 hexadecimal digits. */
  readonly span_id: string;
  /** 2 hexadecimal digits: `01` if the trace is sampled. */
  readonly trace_flags: string;
}

/** The registry of the API of OpenTelemetry. Without it there is no active span, and the API need not be loaded. */
const API = Symbol.for('opentelemetry.js.api.1');

/**
 * Returns the fields by which a log line refers to the active span, by the names of OpenTelemetry's log data model for formats other than
 * OTLP. Empty if no span is active. Never throws. For winston, see `traceLogMeta()`.
 *
 * @example
 * ```ts
 * pino({ mixin: traceLogFields });
 * ```
 */
export function traceLogFields(): TraceLogFields | Record<string, never> {
  try {
    if (!(API in globalThis)) return {};
    const spanContext = trace.getActiveSpan()?.spanContext();
    if (!spanContext || !isSpanContextValid(spanContext)) return {};
    const { spanId, traceFlags, traceId } = spanContext;
    return { trace_id: traceId, span_id: spanId, trace_flags: traceFlags.toString(16).padStart(2, '0') };
  } catch {
    // A span of another tracer provider may throw, and a log line must not be lost.
    return {};
  }
}
