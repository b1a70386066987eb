import type { ReadableSpan, SpanExporter } from '../../options/sdk-types.js';

/** An exporter with its limits and the control of its connections. */
export interface Transport {
  readonly exporter: SpanExporter;
  /** Splits a batch that is too large for one export, which would fail as a whole. */
  split?(spans: readonly ReadableSpan[]): ReadableSpan[][];
  /** Makes an export that fails from now on fail at once, without another attempt. */
  stopRetrying?(): void;
  /** True if no request is open: a pending export can then only wait for its next attempt. */
  isIdle?(): boolean;
  /** Closes all connections, and opens no more. */
  close?(): void;
}
