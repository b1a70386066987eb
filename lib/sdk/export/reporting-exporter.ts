import { types } from 'node:util';
import { cutText } from '../../core/cut-text.js';
import { describeError, reportIgnored, warn } from '../../core/diagnostics.js';
import { errorMessage, errorType } from '../../core/exception.js';
import type { ReadableSpan, SpanExporter } from '../../options/sdk-types.js';
import { FAILED, SUCCESS, type ExportCallback, type ExportResult } from '../types.js';
import { spanSize } from './span-size.js';
import type { Transport } from './transport.js';

/** Exports that are under way at once: the SDK's exporters fail those beyond 30, and a flush begins all that there are. */
const AT_ONCE = 4;
/** Characters of the kind of a failure, which is kept and becomes an attribute of metrics. */
const MAX_KIND = 128;
/** Kinds of failures that are counted apart. */
const MAX_KINDS = 32;
const OTHER_KINDS = '_OTHER';

/**
 * How often the parts of a batch whose export has thrown are tried again. Enough to find three spans that cannot be encoded
 * in a batch of 512 by halving it, and few enough for an exporter that always throws.
 */
const MAX_RETRIES = 64;

/** The error of an export that was not answered. */
class NoAnswer extends Error {}

/** An export that has not begun. */
interface WaitingExport {
  readonly spans: ReadableSpan[];
  readonly done: ExportCallback;
  /** Shared by the parts of one batch. */
  readonly retries: { left: number };
}

/** An export that has begun and not been answered. */
interface PendingExport {
  fail(error: unknown): void;
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
  #settledBytes = 0;
  /** False after a batch of which no part could be exported without an exception. */
  #splitsAfterThrow = true;
  readonly #pending = new Set<PendingExport>();
  readonly #waiting: WaitingExport[] = [];
  #beginning = false;
  #settled: (() => void)[] = [];
  #shutdown: Promise<void> | undefined;

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

  /** Estimated bytes of the spans whose export has ended, whatever became of them. */
  get settledBytes(): number {
    return this.#settledBytes;
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
    if (this.#shutdown) {
      this.#refuse(spans, done, new NoAnswer('the exporter has shut down'));
      return;
    }
    const parts = this.#split(spans);
    const partDone = parts.length > 1 ? whenAll(parts.length, done) : done;
    const retries = { left: this.#splitsAfterThrow ? MAX_RETRIES : 0 };
    for (const part of parts) this.#waiting.push({ spans: part, done: partDone, retries });
    this.#beginWaiting();
  }

  /**
   * Counts a span that is lost because too many others wait.
   *
   * @param waiting how many, or how much of them
   */
  drop(waiting: number | string): void {
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
    for (const { spans, done } of waiting) this.#refuse(spans, done, error);
  }

  async forceFlush(): Promise<void> {
    await this.#guard('flush', () => this.transport.exporter.forceFlush?.());
  }

  /**
   * Shuts the exporter down once, however often it is called, after the exports that are under way. Exports that come later
   * fail without reaching the exporter.
   */
  shutdown(): Promise<void> {
    return (this.#shutdown ??= this.settled().then(() =>
      this.#guard('shut down', () => this.transport.exporter.shutdown()),
    ));
  }

  get #lost(): number {
    return this.failed + this.#dropped;
  }

  #split(spans: ReadableSpan[]): ReadableSpan[][] {
    if (!this.transport.split) return [spans];
    try {
      return this.transport.split(spans);
    } catch (error) {
      reportIgnored('Splitting a batch of spans', error);
      return [spans];
    }
  }

  /** Counts spans as failed that never reach the exporter. */
  #refuse(spans: readonly ReadableSpan[], done: ExportCallback, error: Error): void {
    this.#taken += spans.length;
    this.#settledBytes += totalSize(spans);
    this.#fail(spans.length, error);
    done({ code: FAILED, error });
  }

  #begin(waiting: WaitingExport): void {
    const { done } = waiting;
    // A copy for the exporter, which may change what it is given: the count and a second attempt need all spans.
    const spans = [...waiting.spans];
    const count = spans.length;
    const bytes = totalSize(spans);
    this.#taken += count;
    const pending: PendingExport = { fail: (error) => answer({ code: FAILED, error: asError(error) }) };
    const answer = (result: unknown) => {
      // Some exporters answer twice, with a failure first.
      if (!this.#pending.delete(pending)) return;
      clearTimeout(pending.timer);
      this.#settledBytes += bytes;
      const failure = failureOf(result);
      if (failure) this.#fail(count, failure.error);
      else this.#succeed(count);
      // The SDK logs every property of an error, whose getters may throw.
      done(failure ? { code: FAILED, error: plainError(failure.error) } : { code: SUCCESS });
      this.#beginWaiting();
      if (this.#pending.size === 0) for (const resolve of this.#settled.splice(0)) resolve();
    };
    this.#pending.add(pending);
    try {
      const returned: unknown = this.transport.exporter.export(spans, answer);
      // An exporter may be async by mistake, or for its own convenience.
      if (returned !== undefined) void Promise.resolve(returned).then(undefined, (error) => pending.fail(error));
    } catch (error) {
      if (this.#pending.has(pending) && count > 1 && this.#retryInHalves(waiting)) {
        this.#taken -= count;
        this.#pending.delete(pending);
        return;
      }
      pending.fail(error);
    }
    if (!this.#pending.has(pending)) return;
    const unanswered = () => pending.fail(new NoAnswer(`no answer within ${this.timeout} ms`));
    pending.timer = setTimeout(unanswered, this.timeout).unref();
  }

  /**
   * Puts both halves of a batch first in line. An export throws where a span cannot be encoded: the others are not to be
   * lost with it.
   */
  #retryInHalves({ spans, done, retries }: WaitingExport): boolean {
    if (retries.left < 2) {
      this.#splitsAfterThrow = false;
      return false;
    }
    retries.left -= 2;
    const middle = Math.ceil(spans.length / 2);
    const halfDone = whenAll(2, done);
    this.#waiting.unshift(
      { spans: spans.slice(0, middle), done: halfDone, retries },
      { spans: spans.slice(middle), done: halfDone, retries },
    );
    return true;
  }

  #beginWaiting(): void {
    // An exporter that answers at once gets here again from within.
    if (this.#beginning) return;
    this.#beginning = true;
    while (this.#pending.size < this.atOnce) {
      const next = this.#waiting.shift();
      if (!next) break;
      this.#begin(next);
    }
    this.#beginning = false;
  }

  #succeed(count: number): void {
    this.#exported += count;
    this.#splitsAfterThrow = true;
    if (!this.#failing) return;
    this.#failing = false;
    warn(`recovered:${this.destination}`, `Spans reach ${this.destination} again; ${this.#lost} are lost so far.`);
  }

  #fail(count: number, error: unknown): void {
    const kind = this.#knownKind(failureKind(error));
    this.#failures.set(kind, (this.#failures.get(kind) ?? 0) + count);
    this.#losses++;
    this.#failing = true;
    const spans = count === 1 ? '1 span is' : `${count} spans are`;
    warn(`export:${this.destination}`, `${spans} lost: the export to ${this.destination} failed (${reasonOf(error)}).`);
  }

  #knownKind(kind: string): string {
    return this.#failures.has(kind) || this.#failures.size < MAX_KINDS ? kind : OTHER_KINDS;
  }

  async #guard(what: string, call: () => unknown): Promise<void> {
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

/** Undefined where the exporter has answered that the spans have arrived. */
function failureOf(result: unknown): { readonly error: unknown } | undefined {
  try {
    const { code, error } = (result ?? {}) as Partial<ExportResult>;
    if (code === SUCCESS) return undefined;
    if (code === FAILED || error !== undefined) return { error };
  } catch (error) {
    return { error };
  }
  return { error: new Error('the exporter called back without a result') };
}

/** The status or code that an exporter's error carries, else its class. */
function failureKind(error: unknown): string {
  try {
    const { code } = (error ?? {}) as { code?: unknown };
    if (typeof code === 'number' || (typeof code === 'string' && code !== '')) return cutText(String(code), MAX_KIND);
  } catch {
    // A getter of the error threw; its class says enough.
  }
  return error === undefined ? OTHER_KINDS : cutText(errorType(error), MAX_KIND);
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
  try {
    if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(describeError).join(', ');
  } catch {
    // Its list is none.
  }
  return describeError(error);
}

function asError(thrown: unknown): Error {
  return types.isNativeError(thrown) ? thrown : new Error(describeError(thrown));
}

function plainError(error: unknown): Error | undefined {
  return error === undefined ? undefined : new Error(errorMessage(error));
}

function totalSize(spans: readonly ReadableSpan[]): number {
  let size = 0;
  for (const span of spans) size += spanSize(span);
  return size;
}
