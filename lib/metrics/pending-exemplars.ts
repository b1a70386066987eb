import type { Span } from '@opentelemetry/api';
import { exemplarLabels } from './exemplar.js';
import type { Labels } from './prom-client.js';

/** The time in milliseconds after which the exemplars of the meantime are written. They have the time at which they are written. */
const DELAY = 100;

/** Writes an exemplar into a bucket of a series, in place of the one before. */
type WriteExemplar = (labels: Labels, value: number, exemplarLabels: Labels) => void;

interface Pending {
  readonly value: number;
  readonly span: Span;
}

/**
 * The last exemplar of each bucket, until it is written. A bucket shows only its last one, and prom-client takes two thirds of the time of a
 * measurement to write it: so under load, most are never written.
 */
export class PendingExemplars {
  /** By series, and by the index of the bucket. */
  readonly #pending = new Map<Labels, Pending[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly buckets: readonly number[],
    private readonly write: WriteExemplar,
  ) {}

  /** @param labels of the series, the same object each time */
  add(labels: Labels, value: number, span: Span): void {
    let ofSeries = this.#pending.get(labels);
    if (!ofSeries) this.#pending.set(labels, (ofSeries = []));
    ofSeries[this.#bucketOf(value)] = { value, span };
    this.#timer ??= setTimeout(() => this.flush(), DELAY).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [labels, ofSeries] of this.#pending)
      for (const pending of Object.values(ofSeries)) this.#write(labels, pending);
    this.#pending.clear();
  }

  #write(labels: Labels, { span, value }: Pending): void {
    try {
      const ofSpan = exemplarLabels(span);
      if (ofSpan) this.write(labels, value, ofSpan);
    } catch {
      // The application has reset the metric, and the series is gone.
    }
  }

  #bucketOf(value: number): number {
    let bucket = 0;
    while (bucket < this.buckets.length && value > (this.buckets[bucket] as number)) bucket++;
    return bucket;
  }
}
