import { ExportOutcomes } from './export-outcomes.js';
import type { ExportedKind } from './exported-kind.js';
import { spanSize } from './span-size.js';

export interface QueueLimits {
  /** Spans that may wait. */
  readonly maxSpans: number;
  /** Estimated bytes of all spans that wait or are under way. */
  readonly maxBytes: number;
}

/** Spans that leave together. They are under way until the queue is told how their export ended. */
export interface Batch<Item> {
  readonly spans: readonly Item[];
  readonly bytes: number;
}

/**
 * The spans on their way to one backend, and every count of them. At all times the spans that were added are those that were dropped, that
 * wait, that are under way, that were exported and that failed.
 */
export class SpanQueue<Item extends object> {
  readonly outcomes: ExportOutcomes;
  /** A span that has left is undefined here. */
  private waitingSpans: (Item | undefined)[] = [];
  /** The number of spans at the front of the list that have left: removing them one by one would move all others each time. */
  private left = 0;
  private bytes = 0;
  private taken = 0;
  private accepted = 0;
  private settled = 0;

  /**
   * @param destination the name of the backend in warnings
   * @param hintFor returns what may help against the failure of an export
   * @param kind what is exported
   */
  constructor(
    destination: string,
    readonly limits: QueueLimits,
    hintFor?: (error: unknown) => string | undefined,
    kind?: ExportedKind,
  ) {
    this.outcomes = new ExportOutcomes(destination, hintFor, kind);
  }

  /** Spans that wait. */
  get waiting(): number {
    return this.waitingSpans.length - this.left;
  }

  /** Spans whose export has started, with any outcome. */
  get takenTotal(): number {
    return this.taken;
  }

  /** Spans that were added and not dropped. */
  get acceptedTotal(): number {
    return this.accepted;
  }

  /** Spans whose export has started and not ended. */
  get underWay(): number {
    return this.taken - this.settled;
  }

  /** Returns true if there is room for a span. Drops the span otherwise, before time is spent on it. */
  hasRoom(): boolean {
    const { maxSpans } = this.limits;
    if (this.waiting < maxSpans) return true;
    this.outcomes.countDropped(maxSpans);
    return false;
  }

  /** Adds a span, or drops it if the queue is full. Returns false if it was dropped. */
  add(span: Item): boolean {
    if (!this.hasRoom()) return false;
    const size = spanSize(span);
    if (this.bytes + size > this.limits.maxBytes) {
      this.outcomes.countDropped(`${toMebibytes(this.bytes)} MiB`);
      return false;
    }
    this.accepted++;
    this.bytes += size;
    this.waitingSpans.push(span);
    return true;
  }

  /** Counts a span that cannot be exported at all. */
  refuse(error: unknown): void {
    this.accepted++;
    this.taken++;
    this.settled++;
    this.outcomes.countFailed(1, error);
  }

  /**
   * Takes the spans that have waited longest.
   *
   * @param maxBytes estimated bytes of a batch; a span that is larger is a batch of its own
   */
  take(maxSpans: number, maxBytes: number): Batch<Item> {
    const spans: Item[] = [];
    let bytes = 0;
    while (spans.length < maxSpans) {
      const span = this.waitingSpans[this.left];
      if (!span) break;
      const size = spanSize(span);
      if (spans.length > 0 && bytes + size > maxBytes) break;
      spans.push(span);
      bytes += size;
      this.waitingSpans[this.left++] = undefined;
    }
    this.forgetLeft();
    this.taken += spans.length;
    return { spans, bytes };
  }

  /** Ends a batch: `failed` of its spans have not arrived, because of `error`. */
  settle({ bytes, spans }: Batch<Item>, failures: readonly Failure[]): void {
    let failed = 0;
    for (const failure of failures) {
      failed += failure.count;
      this.outcomes.countFailed(failure.count, failure.error);
    }
    if (failed < spans.length) this.outcomes.countExported(spans.length - failed);
    this.settled += spans.length;
    this.bytes -= bytes;
  }

  private forgetLeft(): void {
    if (this.left < this.waitingSpans.length && this.left < 1024) return;
    this.waitingSpans = this.waitingSpans.slice(this.left);
    this.left = 0;
  }
}

/** Spans that have not arrived, for one reason. */
export interface Failure {
  readonly count: number;
  readonly error: unknown;
}

function toMebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
