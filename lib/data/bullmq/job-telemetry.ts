/** The interface by which BullMQ is traced. Its contexts are those of OpenTelemetry here. */
import type { Attributes, Context, SpanKind } from '@opentelemetry/api';

/** The object that is given to BullMQ as its option `telemetry`. */
export interface JobTelemetry {
  readonly tracer: {
    startSpan(name: string, options?: { readonly kind?: SpanKind }, context?: Context): JobSpan;
  };
  readonly contextManager: {
    with<T>(context: Context, fn: () => T): T;
    active(): Context;
    /** Returns the context for loops that outlive the call that has started them. */
    root(): Context;
    /** Returns the carrier that is stored with a job, as text. */
    getMetadata(context: Context): string;
    fromMetadata(active: Context, metadata: string): Context;
  };
}

/** A span, as BullMQ uses it. */
export interface JobSpan {
  setSpanOnContext(context: Context): Context;
  setAttribute(key: string, value: unknown): void;
  setAttributes(attributes: Attributes): void;
  addEvent(name: string): void;
  recordException(exception: unknown): void;
  end(): void;
}
