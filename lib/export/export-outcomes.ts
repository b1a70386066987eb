import { warn } from '../core/diagnostics.js';
import { describeFailure, failureKind, OTHER_KINDS } from './export-failure.js';
import { SPANS, type ExportedKind } from './exported-kind.js';

/** The number of kinds of failures that are counted apart. */
const MAX_KINDS = 32;

/**
 * Counts what becomes of the spans, or the log records, for one exporter, and warns when some are lost. The SDK reports a loss to `diag` only, which
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
   * @param kind what is exported
   */
  constructor(
    readonly destination: string,
    private readonly hintFor: (error: unknown) => string | undefined = () => undefined,
    private readonly kind: ExportedKind = SPANS,
  ) {}

  /** Spans, or log records, that the backend has accepted. */
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
    this.#warn('recovered', `${capitalize(this.kind.many)} reach ${this.destination} ${now}.`);
  }

  /**
   * Warns of an attempt that has not reached the backend and is repeated, once, and only until the first spans have arrived: then there is a
   * backend, and what it misses for a moment is no loss.
   */
  countUnreached(error: unknown): void {
    if (this.#exported > 0 || this.#isFailing || this.#isUnreached) return;
    this.#isUnreached = true;
    const reason = `(${describeFailure(error)}), and wait for another attempt.${this.#hint(error)}`;
    this.#warn('unreached', `${capitalize(this.kind.many)} do not reach ${this.destination} so far ${reason}`);
  }

  countFailed(count: number, error: unknown): void {
    const kind = this.#knownKind(failureKind(error));
    this.#failures.set(kind, (this.#failures.get(kind) ?? 0) + count);
    this.#losses++;
    this.#isFailing = true;
    const items = count === 1 ? `1 ${this.kind.one} is` : `${count} ${this.kind.many} are`;
    const reason = describeFailure(error);
    this.#warn('export', `${items} lost: the export to ${this.destination} failed (${reason}).${this.#hint(error)}`);
  }

  /**
   * Counts a span that is dropped because the queue is full.
   *
   * @param queued what the queue holds: a number of spans, or a text with their size
   */
  countDropped(queued: number | string): void {
    this.#dropped++;
    this.#losses++;
    const { fewer, many, one } = this.kind;
    const held = typeof queued === 'string' ? `${queued} of ${many}` : queued;
    const reason = `${held} already wait for their export to ${this.destination}`;
    this.#warn('queue', `A ${one} is dropped: ${reason}. ${fewer}, or raise batch.maxQueueSize.`);
  }

  /** Warns how many spans are lost in all, unless there was only one loss, which has been warned of. */
  warnOfTotal(): void {
    if (this.#losses < 2) return;
    const why = `${this.#dropped} found no room to wait, the export of ${this.failed} failed`;
    const arrived = `${this.#exported} have arrived`;
    this.#warn('sum', `${this.#lost} ${this.kind.many} to ${this.destination} are lost: ${why}; ${arrived}.`);
  }

  /** Spans and log records may have the same destination, and each has its own messages. */
  #warn(about: string, message: string): void {
    warn(`${about}:${this.kind.many}:${this.destination}`, message);
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

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
