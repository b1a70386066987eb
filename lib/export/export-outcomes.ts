import { warn } from '../core/diagnostics.js';
import { describeFailure, failureKind, OTHER_KINDS } from './export-failure.js';

/** The number of kinds of failures that are counted apart. */
const MAX_KINDS = 32;

/**
 * Counts what becomes of the spans for one exporter, and warns when spans are lost. The SDK reports a loss to `diag` only, which
 * is silent until the application sets a logger.
 */
export class ExportOutcomes {
  #exported = 0;
  readonly #failures = new Map<string, number>();
  #dropped = 0;
  #losses = 0;
  #isFailing = false;

  /** @param destination the name of the backend in warnings */
  constructor(readonly destination: string) {}

  /** Spans that the backend has accepted. */
  get exported(): number {
    return this.#exported;
  }

  /** Spans whose export failed. */
  get failed(): number {
    let failed = 0;
    for (const count of this.#failures.values()) failed += count;
    return failed;
  }

  /** Spans whose export failed, by the kind of failure. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  /** Spans dropped because the queue was full. */
  get dropped(): number {
    return this.#dropped;
  }

  countExported(count: number): void {
    this.#exported += count;
    if (!this.#isFailing) return;
    this.#isFailing = false;
    warn(`recovered:${this.destination}`, `Spans reach ${this.destination} again; ${this.#lost} are lost so far.`);
  }

  countFailed(count: number, error: unknown): void {
    const kind = this.#knownKind(failureKind(error));
    this.#failures.set(kind, (this.#failures.get(kind) ?? 0) + count);
    this.#losses++;
    this.#isFailing = true;
    const spans = count === 1 ? '1 span is' : `${count} spans are`;
    const reason = describeFailure(error);
    warn(`export:${this.destination}`, `${spans} lost: the export to ${this.destination} failed (${reason}).`);
  }

  /**
   * Counts a span that is dropped because the queue is full.
   *
   * @param queued what the queue holds: a number of spans, or a text with their size
   */
  countDropped(queued: number | string): void {
    this.#dropped++;
    this.#losses++;
    const fix = 'Keep fewer traces by "sampler", or raise batch.maxQueueSize.';
    const reason = `${queued} already wait for their export to ${this.destination}`;
    warn(`queue:${this.destination}`, `A span is dropped: ${reason}. ${fix}`);
  }

  /** Warns how many spans are lost in all, unless there was only one loss, which has been warned of. */
  warnOfTotal(): void {
    if (this.#losses < 2) return;
    const why = `${this.#dropped} found no room to wait, the export of ${this.failed} failed`;
    const arrived = `${this.#exported} have arrived`;
    warn(`sum:${this.destination}`, `${this.#lost} spans to ${this.destination} are lost: ${why}; ${arrived}.`);
  }

  get #lost(): number {
    return this.failed + this.#dropped;
  }

  #knownKind(kind: string): string {
    return this.#failures.has(kind) || this.#failures.size < MAX_KINDS ? kind : OTHER_KINDS;
  }
}
