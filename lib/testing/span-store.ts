import { TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan } from '../options/sdk-types.js';
import { takeSnapshot, type SpanSnapshot } from './span-snapshot.js';
import type { RecordedState } from './span-tree.js';

/** The spans that have started, in the order in which they did, and what waits for changes of them. */
export class SpanStore {
  /** Each span, and its snapshot if it has ended. Ids are no keys, since sequential ones begin again at a reset. */
  readonly #spans = new Map<ReadableSpan, SpanSnapshot | undefined>();
  readonly #wake = new Set<() => void>();

  /** The spans that have ended. */
  get finished(): readonly SpanSnapshot[] {
    return [...this.#spans.values()].filter((snapshot) => snapshot !== undefined);
  }

  /** The spans that have not ended. */
  get open(): readonly SpanSnapshot[] {
    return this.states.flatMap(({ isOpen, span }) => (isOpen ? span : []));
  }

  get states(): readonly RecordedState[] {
    return [...this.#spans].map(([span, snapshot]) => ({
      span: snapshot ?? takeSnapshot(span),
      isOpen: snapshot === undefined,
    }));
  }

  start(span: ReadableSpan): void {
    this.#spans.set(span, undefined);
    this.#changed();
  }

  end(span: ReadableSpan): void {
    // The span was open at a reset.
    if (!this.#spans.has(span)) return;
    // Only now is it known whether `sampler.keep` keeps the span.
    if (isSampled(span)) this.#spans.set(span, takeSnapshot(span));
    else this.#spans.delete(span);
    this.#changed();
  }

  reset(): void {
    this.#spans.clear();
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

function isSampled(span: ReadableSpan): boolean {
  return (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
}
