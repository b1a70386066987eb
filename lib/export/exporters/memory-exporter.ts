import type { ReadableSpan, SpanExporter } from '../../options/sdk-types.js';
import { SUCCESS, type ExportCallback } from '../export-result.js';

const CAPACITY = 10_000;

/** Keeps the newest spans for tests and for development. It holds a bounded number of them, so that a long-lived process may use it. */
export class MemorySpanExporter implements SpanExporter {
  #spans: ReadableSpan[] = [];

  /** @param capacity the number of spans that are kept */
  constructor(private readonly capacity = CAPACITY) {}

  export(spans: ReadableSpan[], done: ExportCallback): void {
    for (const span of spans) this.#spans.push(span);
    // Only at twice the capacity: to cut the list at each span would move thousands of entries each time.
    if (this.#spans.length >= 2 * this.capacity) this.#spans = this.#spans.slice(-this.capacity);
    done({ code: SUCCESS });
  }

  /** Returns the spans that have ended, oldest first. */
  getFinishedSpans(): ReadableSpan[] {
    return this.#spans.slice(-this.capacity);
  }

  reset(): void {
    this.#spans = [];
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  /** The spans stay readable, because a test may read them after it has shut the application down. */
  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}
