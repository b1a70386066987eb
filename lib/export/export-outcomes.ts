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
  /** True if a warning says that the backend has not been reached yet. */
  #isUnreached = false;

  /**
   * @param destination the name of the backend in warnings
   * @param hintFor returns what may help against the failure of an export
   */
  constructor(
    readonly destination: string,
    private readonly hintFor: (error: unknown) => string | undefined = () => undefined,
  ) {}

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
    if (!this.#isFailing && !this.#isUnreached) return;
    this.#isFailing = this.#isUnreached = false;
    const now = this.#lost === 0 ? 'now' : `again; ${this.#lost} are lost so far`;
    warn(`recovered:${this.destination}`, `Spans reach ${this.destination} ${now}.`);
  }

  /**
   * Warns of an attempt that has not reached the backend and is repeated, once, and only until the first spans have arrived: then there is a
   * backend, and what it misses for a moment is no loss.
   */
  countUnreached(error: unknown): void {
    if (this.#exported > 0 || this.#isFailing || this.#isUnreached) return;
    this.#isUnreached = true;
    const reason = `(${describeFailure(error)}), and wait for another attempt.${this.#hint(error)}`;
    warn(`unreached:${this.destination}`, `Spans do not reach ${this.destination} so far ${reason}`);
  }

  countFailed(count: number, error: unknown): void {
    const kind = this.#knownKind(failureKind(error));
    this.#failures.set(kind, (this.#failures.get(kind) ?? 0) + count);
    this.#losses++;
    this.#isFailing = true;
    const spans = count === 1 ? '1 span is' : `${count} spans are`;
    const reason = describeFailure(error);
    warn(
      `export:${this.destination}`,
      `${spans} lost: the export to ${this.destination} failed (${reason}).${this.#hint(error)}`,
    );
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

  /** Returns a hint with a space before it. */
  #hint(error: unknown): string {
    const hint = this.hintFor(error);
    return hint === undefined ? '' : ` ${hint}`;
  }

  get #lost(): number {
    return this.failed + this.#dropped;
  }

  #knownKind(kind: string): string {
    return this.#failures.has(kind) || this.#failures.size < MAX_KINDS ? kind : OTHER_KINDS;
  }
}
