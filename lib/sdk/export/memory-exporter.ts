import type { ReadableSpan, SpanExporter } from '../../options/sdk-types.js';
import { SUCCESS, type ExportCallback } from '../types.js';

const CAPACITY = 10_000;

/** Keeps the newest spans for tests and for looking at them; a long-lived process does not grow by it. */
export class MemorySpanExporter implements SpanExporter {
  #spans: ReadableSpan[] = [];

  /** @param capacity spans kept; older ones make room for newer ones */
  constructor(private readonly capacity = CAPACITY) {}

  export(spans: ReadableSpan[], done: ExportCallback): void {
    for (const span of spans) this.#spans.push(span);
    // Cut only now and then: at every span it would move thousands of entries each time.
    if (this.#spans.length >= 2 * this.capacity) this.#spans = this.#spans.slice(-this.capacity);
    done({ code: SUCCESS });
  }

  /** The spans that have ended, oldest first. */
  getFinishedSpans(): ReadableSpan[] {
    return this.#spans.slice(-this.capacity);
  }

  reset(): void {
    this.#spans = [];
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  /** The spans stay readable: tests close the application first, and look afterwards. */
  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}
