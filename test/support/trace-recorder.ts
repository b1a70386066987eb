import { expect } from '@jest/globals';
import { SpanKind, trace } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import { spanCount, traceTrees, type ExpectedSpan } from './trace-tree.js';

/** How long a test waits for spans to end, in milliseconds. */
const PATIENCE = 5000;

/** Where the SDK's provider keeps its span processors: no option of the library lets a test add one. */
interface StockProvider {
  _activeSpanProcessor: { _spanProcessors: SpanProcessor[] };
}

/** Keeps what an application exports, and knows what it has started and not ended. */
export class TraceRecorder implements SpanExporter, SpanProcessor {
  spans: ReadableSpan[] = [];
  readonly #open = new Set<ReadableSpan>();
  #wake: (() => void)[] = [];

  /** Also sees spans start, from now on. Call it when the application has registered its provider. */
  watchStarts(): void {
    const proxy = trace.getTracerProvider() as unknown as { getDelegate(): StockProvider };
    const { _activeSpanProcessor: stock } = proxy.getDelegate();
    const { _spanProcessors: processors } = stock;
    processors.push(this);
  }

  onStart(span: ReadableSpan): void {
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

  /** By this, the library exports each span as soon as it ends. */
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

  /** Waits until the exported spans are as the predicate wants them. */
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

  /** Waits until so many spans have started and not ended. */
  async untilOpen(count: number): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    while (this.#open.size !== count) {
      if (Date.now() > deadline)
        throw new Error(`waited in vain for ${count} open spans; open: ${this.open.join(', ')}`);
      await this.#change(deadline);
    }
  }

  /**
   * Waits until nothing is open, compares every exported span with these trees, oldest first, and forgets them.
   * An orphan, a span too many or too few, and one that never ends all fail.
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

  /** Hands out the exported spans and forgets them. */
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
