import { SpanKind, SpanStatusCode, type Attributes } from '@opentelemetry/api';
import type { ReadableSpan } from '../options/sdk-types.js';

/** A span as a plain object: everything that a test may want to compare. */
export interface SpanSnapshot {
  readonly name: string;
  readonly kind: keyof typeof SpanKind;
  readonly status: keyof typeof SpanStatusCode;
  /** The description of the status. Undefined if it has none. */
  readonly statusMessage: string | undefined;
  readonly attributes: Readonly<Attributes>;
  /** The events, oldest first. An exception is an event with the name `exception`. */
  readonly events: readonly SpanSnapshotEvent[];
  readonly links: readonly SpanSnapshotLink[];
  /** The id of the trace, as 32 hexadecimal digits. */
  readonly traceId: string;
  /** The id of the span, as 16 hexadecimal digits. */
  readonly spanId: string;
  /** The id of the parent. Undefined if the trace begins with this span. */
  readonly parentSpanId: string | undefined;
  readonly startTime: Date;
  /** In milliseconds, with fractions. NaN if the span has not ended. */
  readonly duration: number;
}

/** An event of a span. */
export interface SpanSnapshotEvent {
  readonly name: string;
  readonly attributes: Readonly<Attributes>;
}

/** A link of a span to another one. */
export interface SpanSnapshotLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Readonly<Attributes>;
}

/** Copies a span as it is now. */
export function takeSnapshot(span: ReadableSpan): SpanSnapshot {
  const { spanId, traceId } = span.spanContext();
  return {
    name: span.name,
    kind: SpanKind[span.kind] as keyof typeof SpanKind,
    status: SpanStatusCode[span.status.code] as keyof typeof SpanStatusCode,
    statusMessage: span.status.message,
    attributes: { ...span.attributes },
    events: span.events.map(({ attributes, name }) => ({ name, attributes: { ...attributes } })),
    links: span.links.map(({ attributes, context }) => ({
      traceId: context.traceId,
      spanId: context.spanId,
      attributes: { ...attributes },
    })),
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    startTime: new Date(toMilliseconds(span.startTime)),
    duration: span.ended ? toMilliseconds(span.duration) : NaN,
  };
}

function toMilliseconds([seconds, nanoseconds]: ReadableSpan['startTime']): number {
  return seconds * 1e3 + nanoseconds / 1e6;
}
