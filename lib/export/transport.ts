import type { SpanExporter } from '../options/sdk-types.js';

/** An exporter with its limits and the control of its connections. */
export interface Transport {
  readonly exporter: SpanExporter;
  /** Estimated bytes of the spans of one export: a larger message would fail as a whole. Undefined if there is no limit. */
  readonly maxMessageBytes?: number;
  /**
   * Exports at a time. The specification allows one to an exporter that does not say otherwise.
   * @default 1
   */
  readonly maxConcurrent?: number;
  /** Makes an export that fails from now on fail at once, without another attempt. */
  stopRetrying?(): void;
  /** Closes all connections, and opens no more. */
  close?(): void;
}
