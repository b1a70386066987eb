import { SpanKind } from '@opentelemetry/api';

/** Returns a kind that can be exported for any value. */
export function toKind(kind: unknown): SpanKind {
  // Beside the numbers, the object of kinds has their names as keys.
  return typeof kind === 'number' && SpanKind[kind] !== undefined ? kind : SpanKind.INTERNAL;
}
