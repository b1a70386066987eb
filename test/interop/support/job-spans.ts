import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

/** The spans of consumers that process jobs. */
export const processing = (spans: readonly ReadableSpan[]): ReadableSpan[] =>
  spans.filter(({ kind }) => kind === SpanKind.CONSUMER);

/** The spans of producers that add jobs. */
export const sending = (spans: readonly ReadableSpan[]): ReadableSpan[] =>
  spans.filter(({ kind }) => kind === SpanKind.PRODUCER);

export const linkedIds = (span: ReadableSpan): string[] => span.links.map(({ context }) => context.spanId);

export const idOf = (span: ReadableSpan | undefined): string | undefined => span?.spanContext().spanId;
