import type { SpanExporter } from '../../tracing.options.js';

/** An exporter, and what can be done about its connections when the application closes. */
export interface Transport {
  readonly exporter: SpanExporter;
  /** No more attempts after one that fails. */
  stopRetrying?(): void;
  /** Whether nothing is on the wire: an export that is under way can only be waiting for its next attempt. */
  isIdle?(): boolean;
  /** Cuts what is under way, and allows no more. */
  close?(): void;
}
