import type { ReadableSpan } from '../options/sdk-types.js';

/** An exporter of spans, or of what a transport makes of each of them. A span exporter of the SDK is one. */
export interface ItemExporter<Item> {
  export(items: Item[], done: (result: { code: number; error?: Error }) => void): void;
  forceFlush?(): Promise<void>;
  shutdown(): Promise<void>;
}

/**
 * An exporter with its limits and the control of its connections.
 *
 * @typeParam Item the form in which a span or a log record waits and is exported
 * @typeParam Source the span or the log record itself
 */
export interface Transport<Item extends object = ReadableSpan, Source = ReadableSpan> {
  readonly exporter: ItemExporter<Item>;
  /** Called with each span that starts. Must not throw. */
  readonly onStart?: (span: ReadableSpan) => void;
  /**
   * Returns the form in which an ended span, or a log record, waits. It may throw, and the span then counts as failed. Undefined if the span
   * itself waits.
   */
  readonly prepare?: (source: Source) => Item;
  /** Estimated bytes of the spans of one export: a larger message would fail as a whole. Undefined if there is no limit. */
  readonly maxMessageBytes?: number;
  /**
   * Exports at a time. The specification allows one to an exporter that does not say otherwise.
   * @default 1
   */
  readonly maxConcurrent?: number;
  /** Returns what may help against the failure of an export, as one sentence or two. Undefined if nothing is known. */
  readonly hintFor?: (error: unknown) => string | undefined;
  /**
   * Returns true if the backend has left a message without an answer for this time, in milliseconds. Undefined if the exporter takes no more
   * exports while it waits.
   */
  isSilentFor?(time: number): boolean;
  /** Calls `report` with the error of each attempt that does not reach the backend and is repeated. */
  watchReach?(report: (error: unknown) => void): void;
  /** Makes an export that fails from now on fail at once, without another attempt. */
  stopRetrying?(): void;
  /** Closes all connections, and opens no more. */
  close?(): void;
}
