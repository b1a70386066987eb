import { describeError, warn } from '../../core/diagnostics.js';
import { errorType } from '../../core/exception.js';
import type { ReadableSpan, SpanExporter } from '../../tracing.options.js';
import { FAILED, SUCCESS, type ExportCallback, type ExportResult } from '../types.js';
import type { Transport } from './transport.js';

/** Exports that are under way at once: the SDK's exporters fail those beyond 30, and a flush begins all that there are. */
const AT_ONCE = 4;

/** What an export fails with that nobody has answered. */
class NoAnswer extends Error {}

/** An export that has begun and not been answered. */
interface PendingExport {
  fail(error: Error): void;
  timer?: NodeJS.Timeout;
}

/**
 * Says so when spans are lost on their way out, and shields the application from what an exporter may throw.
 *
 * The SDK tells it to `diag` alone, which is silent until somebody sets a logger.
 */
export class ReportingExporter implements SpanExporter {
  #taken = 0;
  #exported = 0;
  readonly #failures = new Map<string, number>();
  #dropped = 0;
  #losses = 0;
  #failing = false;
  readonly #pending = new Set<PendingExport>();
  readonly #waiting: [spans: ReadableSpan[], done: ExportCallback][] = [];
  #beginning = false;
  #settled: (() => void)[] = [];

  /**
   * @param transport the exporter, and how to split what is too much for it
   * @param destination how messages name the place where spans go
   * @param timeout when an export without an answer counts as failed, in milliseconds
   * @param atOnce exports that may be under way at once
   */
  constructor(
    private readonly transport: Pick<Transport, 'exporter' | 'split'>,
    readonly destination: string,
    private readonly timeout: number,
    private readonly atOnce = AT_ONCE,
  ) {}

  /** Spans whose export has begun, whatever became of them. */
  get taken(): number {
    return this.#taken;
  }

  /** Spans that have arrived. */
  get exported(): number {
    return this.#exported;
  }

  /** Spans that are lost because their export failed. */
  get failed(): number {
    let failed = 0;
    for (const count of this.#failures.values()) failed += count;
    return failed;
  }

  /** The same by what their export failed with. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  /** Spans that are lost because there was no room to wait in. */
  get dropped(): number {
    return this.#dropped;
  }

  export(spans: ReadableSpan[], done: ExportCallback): void {
    const parts = this.transport.split?.(spans) ?? [spans];
    const partDone = parts.length > 1 ? whenAll(parts.length, done) : done;
    for (const part of parts) this.#waiting.push([part, partDone]);
    this.#beginWaiting();
  }

  /** Says that a span is lost because so many others wait already. */
  drop(waiting: number): void {
    this.#dropped++;
    this.#losses++;
    const fix = 'Keep fewer traces by "sampler", or raise batch.maxQueueSize.';
    const reason = `${waiting} already wait for their export to ${this.destination}`;
    warn(`queue:${this.destination}`, `A span is dropped: ${reason}. ${fix}`);
  }

  /** Says how many spans are lost, unless that was said when it happened. */
  sumUp(): void {
    if (this.#losses < 2) return;
    const why = `${this.#dropped} found no room to wait, the export of ${this.failed} failed`;
    const arrived = `${this.#exported} have arrived`;
    warn(`sum:${this.destination}`, `${this.#lost} spans to ${this.destination} are lost: ${why}; ${arrived}.`);
  }

  /** Resolves when every export that has begun is answered. The SDK itself waits only for those that a flush begins. */
  settled(): Promise<void> {
    return this.#pending.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#settled.push(resolve));
  }

  /** Counts every export that is under way as failed, and begins those that wait. Returns how many it has given up. */
  giveUp(reason: string): number {
    const givenUp = [...this.#pending];
    for (const pending of givenUp) pending.fail(new NoAnswer(reason));
    return givenUp.length;
  }

  /** Counts every export that is under way or waits as failed, so that nothing waits for it any longer. */
  abandon(reason: string): void {
    const error = new NoAnswer(reason);
    const waiting = this.#waiting.splice(0);
    this.giveUp(reason);
    for (const [spans, done] of waiting) {
      this.#taken += spans.length;
      this.#fail(spans.length, error);
      done({ code: FAILED, error });
    }
  }

  async forceFlush(): Promise<void> {
    await this.#guard('flush', () => this.transport.exporter.forceFlush?.());
  }

  async shutdown(): Promise<void> {
    await this.#guard('shut down', () => this.transport.exporter.shutdown());
  }

  get #lost(): number {
    return this.failed + this.#dropped;
  }

  #begin(spans: ReadableSpan[], done: ExportCallback): void {
    this.#taken += spans.length;
    const pending: PendingExport = { fail: (error) => answer({ code: FAILED, error }) };
    const answer = (result: ExportResult) => {
      // Some exporters answer twice, with a failure first.
      if (!this.#pending.delete(pending)) return;
      clearTimeout(pending.timer);
      if (result.code === SUCCESS) this.#succeed(spans.length);
      else this.#fail(spans.length, result.error);
      done(result);
      this.#beginWaiting();
      if (this.#pending.size === 0) for (const resolve of this.#settled.splice(0)) resolve();
    };
    this.#pending.add(pending);
    try {
      this.transport.exporter.export(spans, answer);
    } catch (error) {
      pending.fail(error instanceof Error ? error : new Error(describeError(error)));
    }
    if (!this.#pending.has(pending)) return;
    const unanswered = () => pending.fail(new NoAnswer(`no answer within ${this.timeout} ms`));
    pending.timer = setTimeout(unanswered, this.timeout).unref();
  }

  #beginWaiting(): void {
    // An exporter that answers at once gets here again from within.
    if (this.#beginning) return;
    this.#beginning = true;
    while (this.#pending.size < this.atOnce) {
      const next = this.#waiting.shift();
      if (!next) break;
      this.#begin(...next);
    }
    this.#beginning = false;
  }

  #succeed(count: number): void {
    this.#exported += count;
    if (!this.#failing) return;
    this.#failing = false;
    warn(`recovered:${this.destination}`, `Spans reach ${this.destination} again; ${this.#lost} are lost so far.`);
  }

  #fail(count: number, error: unknown): void {
    const kind = failureKind(error);
    this.#failures.set(kind, (this.#failures.get(kind) ?? 0) + count);
    this.#losses++;
    this.#failing = true;
    const spans = count === 1 ? '1 span is' : `${count} spans are`;
    warn(`export:${this.destination}`, `${spans} lost: the export to ${this.destination} failed (${reasonOf(error)}).`);
  }

  async #guard(what: string, call: () => Promise<void> | undefined): Promise<void> {
    try {
      await call();
    } catch (error) {
      warn(
        `${what}:${this.destination}`,
        `The exporter to ${this.destination} failed to ${what} (${reasonOf(error)}).`,
      );
    }
  }
}

/** The status or code that an exporter's error carries, else its class. */
function failureKind(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code === 'number' || (typeof code === 'string' && code !== '')) return String(code);
  return error === undefined ? '_OTHER' : errorType(error);
}

/** Passes on one answer for several: a failure, if there is one among them. */
function whenAll(count: number, done: ExportCallback): ExportCallback {
  let left = count;
  let all: ExportResult = { code: SUCCESS };
  return (result) => {
    if (result.code !== SUCCESS) all = result;
    if (--left === 0) done(all);
  };
}

/** A host name with several addresses fails with an error for each, under one that says nothing. */
function reasonOf(error: unknown): string {
  if (error === undefined) return 'the exporter gives no reason';
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(describeError).join(', ');
  return describeError(error);
}
