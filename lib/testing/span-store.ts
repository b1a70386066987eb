import { TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan } from '../options/sdk-types.js';
import { toFinishedSpan, type FinishedSpan } from './finished-span.js';
import type { RecordedState } from './span-tree.js';

interface Entry {
  readonly span: ReadableSpan;
  /** Undefined while the span is open. */
  finished: FinishedSpan | undefined;
}

/** The spans that have started, in the order in which they did, and what waits for changes of them. */
export class SpanStore {
  readonly #entries = new Map<string, Entry>();
  readonly #wake = new Set<() => void>();

  /** The spans that have ended. */
  get finished(): readonly FinishedSpan[] {
    return [...this.#entries.values()].flatMap(({ finished }) => finished ?? []);
  }

  /** The spans that have not ended. */
  get open(): readonly FinishedSpan[] {
    return this.states.flatMap(({ isOpen, span }) => (isOpen ? span : []));
  }

  get states(): readonly RecordedState[] {
    return [...this.#entries.values()].map(({ finished, span }) => ({
      span: finished ?? toFinishedSpan(span),
      isOpen: finished === undefined,
    }));
  }

  start(span: ReadableSpan): void {
    this.#entries.set(keyOf(span), { span, finished: undefined });
    this.#changed();
  }

  end(span: ReadableSpan): void {
    const entry = this.#entries.get(keyOf(span));
    // The span was open at a reset.
    if (!entry) return;
    // Only now is it known whether `sampler.keep` keeps the span.
    if (isSampled(span)) entry.finished = toFinishedSpan(span);
    else this.#entries.delete(keyOf(span));
    this.#changed();
  }

  reset(): void {
    this.#entries.clear();
    this.#changed();
  }

  /** Waits until a span starts or ends, or until the time is up. */
  change(deadline: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#wake.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.max(0, deadline - performance.now()));
      this.#wake.add(wake);
    });
  }

  #changed(): void {
    for (const wake of this.#wake) wake();
  }
}

function keyOf(span: ReadableSpan): string {
  const { spanId, traceId } = span.spanContext();
  return `${traceId}-${spanId}`;
}

function isSampled(span: ReadableSpan): boolean {
  return (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
}
