import type { ReadableSpan, SpanExporter } from '../../options/sdk-types.js';

/** An exporter, what it can carry at once, and what can be done about its connections when the application closes. */
export interface Transport {
  readonly exporter: SpanExporter;
  /** Splits what would be too much for one export, so that not all is lost by what is too large. */
  split?(spans: readonly ReadableSpan[]): ReadableSpan[][];
  /** No more attempts after one that fails. */
  stopRetrying?(): void;
  /** Whether nothing is on the wire: an export that is under way can only be waiting for its next attempt. */
  isIdle?(): boolean;
  /** Cuts what is under way, and allows no more. */
  close?(): void;
}
