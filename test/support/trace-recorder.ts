import { expect } from '@jest/globals';
import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import { spanCount, traceTrees, type ExpectedSpan } from './trace-tree.js';

/** How long a test waits for spans to end, in milliseconds. */
const PATIENCE = 20_000;

/** Keeps the spans that an application exports, and, as a span processor, those that have started and not ended. */
export class TraceRecorder implements SpanExporter, SpanProcessor {
  spans: ReadableSpan[] = [];
  readonly #open = new Set<ReadableSpan>();
  #wake: (() => void)[] = [];
  #isShutDown = false;

  onStart(span: ReadableSpan): void {
    if (this.#isShutDown) return;
    this.#open.add(span);
    this.#changed();
  }

  onEnd(span: ReadableSpan): void {
    this.#open.delete(span);
    this.#changed();
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.spans.push(...spans);
    done({ code: 0 });
    this.#changed();
  }

  /** With this method, the library exports each span as soon as it ends. */
  getFinishedSpans(): ReadableSpan[] {
    return this.spans;
  }

  /** The names of the spans that have started and not ended. */
  get open(): string[] {
    return [...this.#open].map((span) => span.name);
  }

  named(name: string): ReadableSpan {
    const found = this.spans.find((span) => span.name === name);
    if (!found) throw new Error(`no span "${name}" among: ${this.spans.map((span) => span.name).join(', ')}`);
    return found;
  }

  /** Waits until the predicate accepts the exported spans. */
  async until(predicate: (spans: ReadableSpan[]) => boolean, what = 'the spans'): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    while (!predicate(this.spans)) {
      if (Date.now() > deadline) {
        const names = this.spans.map((span) => `${SpanKind[span.kind]} ${span.name}`).join(', ');
        throw new Error(`waited in vain for ${what}; exported: ${names}; open: ${this.open.join(', ')}`);
      }
      await this.#change(deadline);
    }
  }

  /** Waits until a number of spans have started and not ended. */
  async untilOpen(count: number): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    while (this.#open.size !== count) {
      if (Date.now() > deadline)
        throw new Error(`waited in vain for ${count} open spans; open: ${this.open.join(', ')}`);
      await this.#change(deadline);
    }
  }

  /**
   * Waits until no span is open, compares all exported spans with these trees, oldest first, and forgets them. Fails for an
   * orphan, a missing span, an additional span and a span that never ends.
   */
  async expect(...trees: ExpectedSpan[]): Promise<void> {
    const count = trees.reduce((sum, tree) => sum + spanCount(tree), 0);
    const quiet = () => this.#open.size === 0 && this.spans.length >= count;
    const deadline = Date.now() + PATIENCE;
    while (!quiet() && Date.now() < deadline) await this.#change(deadline);
    const spans = this.take();
    const { actual, expected } = traceTrees(spans, trees);
    expect({ open: this.open, trees: actual }).toEqual({ open: [], trees: expected });
  }

  /** Returns the exported spans and forgets them. */
  take(): ReadableSpan[] {
    return this.spans.splice(0);
  }

  /** Forgets the open spans as well. */
  reset(): void {
    this.spans = [];
    this.#open.clear();
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    this.#isShutDown = true;
    return Promise.resolve();
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  #change(deadline: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, deadline - Date.now()) + 1);
      this.#wake.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
