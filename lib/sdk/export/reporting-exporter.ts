import { reportIgnored, warn } from '../../core/diagnostics.js';
import type { ReadableSpan, SpanExporter } from '../../options/sdk-types.js';
import { FAILED, SUCCESS, type ExportCallback } from '../types.js';
import { combineResults, describeFailure, failureIn, NoAnswer, plainError, toError } from './export-failure.js';
import { ExportOutcomes } from './export-outcomes.js';
import { spanSize } from './span-size.js';
import type { Transport } from './transport.js';

/** The number of exports at a time. The SDK's exporters fail exports beyond 30, and a flush of the SDK starts all that it has. */
const MAX_CONCURRENT = 4;

/**
 * How often the parts of a batch whose export has thrown are exported again. Enough to find three spans that cannot be encoded
 * in a batch of 512 by halving it, and few enough for an exporter that always throws.
 */
const MAX_RETRIES = 64;

/** An export that has not started. */
interface QueuedExport {
  readonly spans: ReadableSpan[];
  readonly done: ExportCallback;
  /** Shared by the parts of one batch. */
  readonly retries: { left: number };
}

/** An export that has started, and whose result is not known. */
interface PendingExport {
  fail(error: unknown): void;
  timer?: NodeJS.Timeout;
}

/**
 * Shields the application and the SDK from an exporter, which may throw, reject, call back twice or never, or change what it is
 * given, and counts what becomes of every span.
 */
export class ReportingExporter implements SpanExporter {
  readonly outcomes: ExportOutcomes;
  #taken = 0;
  #settledBytes = 0;
  /** False after a batch of which no part could be exported without an exception. */
  #splitsAfterThrow = true;
  readonly #pending = new Set<PendingExport>();
  readonly #queue: QueuedExport[] = [];
  #isStartingQueued = false;
  #onSettled: (() => void)[] = [];
  #shutdown: Promise<void> | undefined;

  /**
   * @param transport the exporter, and how to split what is too much for it
   * @param destination the name of the backend in warnings
   * @param timeout when an export without an answer counts as failed, in milliseconds
   * @param maxConcurrent the number of exports at a time
   */
  constructor(
    private readonly transport: Pick<Transport, 'exporter' | 'split'>,
    destination: string,
    private readonly timeout: number,
    private readonly maxConcurrent = MAX_CONCURRENT,
  ) {
    this.outcomes = new ExportOutcomes(destination);
  }

  /** Spans whose export has started, with any outcome. */
  get taken(): number {
    return this.#taken;
  }

  /** Estimated bytes of the spans whose export has ended, with any outcome. */
  get settledBytes(): number {
    return this.#settledBytes;
  }

  export(spans: ReadableSpan[], done: ExportCallback): void {
    if (this.#shutdown) {
      this.#failUnstarted(spans, done, new NoAnswer('the exporter has shut down'));
      return;
    }
    const parts = this.#split(spans);
    const partDone = parts.length > 1 ? combineResults(parts.length, done) : done;
    const retries = { left: this.#splitsAfterThrow ? MAX_RETRIES : 0 };
    for (const part of parts) this.#queue.push({ spans: part, done: partDone, retries });
    this.#startQueued();
  }

  /** Resolves when no export is pending. The SDK itself waits only for exports that a flush starts. */
  whenSettled(): Promise<void> {
    return this.#pending.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#onSettled.push(resolve));
  }

  /** Counts all pending exports as failed, and starts queued ones. Returns how many it has failed. */
  failPending(reason: string): number {
    const pending = [...this.#pending];
    for (const { fail } of pending) fail(new NoAnswer(reason));
    return pending.length;
  }

  /** Counts all pending and queued exports as failed, so that nothing waits for them any longer. */
  failAll(reason: string): void {
    const error = new NoAnswer(reason);
    const queued = this.#queue.splice(0);
    this.failPending(reason);
    for (const { spans, done } of queued) this.#failUnstarted(spans, done, error);
  }

  async forceFlush(): Promise<void> {
    await this.#warnOnError('flush', () => this.transport.exporter.forceFlush?.());
  }

  /** Shuts the exporter down when no export is pending. Idempotent. Later exports fail without reaching the exporter. */
  shutdown(): Promise<void> {
    return (this.#shutdown ??= this.whenSettled().then(() =>
      this.#warnOnError('shut down', () => this.transport.exporter.shutdown()),
    ));
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

  #failUnstarted(spans: readonly ReadableSpan[], done: ExportCallback, error: Error): void {
    this.#taken += spans.length;
    this.#settledBytes += totalSize(spans);
    this.outcomes.countFailed(spans.length, error);
    done({ code: FAILED, error });
  }

  #startQueued(): void {
    // An exporter that answers at once leads here again, from within the loop.
    if (this.#isStartingQueued) return;
    this.#isStartingQueued = true;
    while (this.#pending.size < this.maxConcurrent) {
      const next = this.#queue.shift();
      if (!next) break;
      this.#start(next);
    }
    this.#isStartingQueued = false;
  }

  #start(queued: QueuedExport): void {
    const { done } = queued;
    // A copy for the exporter, which may change the list: the count and a second attempt need all spans.
    const spans = [...queued.spans];
    const count = spans.length;
    const bytes = totalSize(spans);
    this.#taken += count;
    const pending: PendingExport = { fail: (error) => answer({ code: FAILED, error: toError(error) }) };
    const answer = (result: unknown) => {
      // The first answer counts: some exporters answer twice, with a failure first.
      if (!this.#pending.delete(pending)) return;
      clearTimeout(pending.timer);
      this.#settledBytes += bytes;
      const failure = failureIn(result);
      if (failure) this.outcomes.countFailed(count, failure.error);
      else this.#succeed(count);
      done(failure ? { code: FAILED, error: plainError(failure.error) } : { code: SUCCESS });
      this.#startQueued();
      if (this.#pending.size === 0) for (const resolve of this.#onSettled.splice(0)) resolve();
    };
    this.#pending.add(pending);
    try {
      const returned: unknown = this.transport.exporter.export(spans, answer);
      // The method of an exporter may be async, although its result is ignored by the SDK.
      if (returned !== undefined) void Promise.resolve(returned).then(undefined, (error) => pending.fail(error));
    } catch (error) {
      if (this.#pending.has(pending) && count > 1 && this.#queueHalves(queued)) {
        this.#taken -= count;
        this.#pending.delete(pending);
        return;
      }
      pending.fail(error);
    }
    if (!this.#pending.has(pending)) return;
    const onTimeout = () => pending.fail(new NoAnswer(`no answer within ${this.timeout} ms`));
    pending.timer = setTimeout(onTimeout, this.timeout).unref();
  }

  /**
   * Puts both halves of a batch first in the queue, because an export throws if a span cannot be encoded, and the other spans
   * must not be lost with it. Returns false if the batch has been split too often.
   */
  #queueHalves({ spans, done, retries }: QueuedExport): boolean {
    if (retries.left < 2) {
      this.#splitsAfterThrow = false;
      return false;
    }
    retries.left -= 2;
    const middle = Math.ceil(spans.length / 2);
    const halfDone = combineResults(2, done);
    this.#queue.unshift(
      { spans: spans.slice(0, middle), done: halfDone, retries },
      { spans: spans.slice(middle), done: halfDone, retries },
    );
    return true;
  }

  #succeed(count: number): void {
    this.#splitsAfterThrow = true;
    this.outcomes.countExported(count);
  }

  async #warnOnError(what: string, call: () => unknown): Promise<void> {
    const { destination } = this.outcomes;
    try {
      await call();
    } catch (error) {
      warn(`${what}:${destination}`, `The exporter to ${destination} failed to ${what} (${describeFailure(error)}).`);
    }
  }
}

function totalSize(spans: readonly ReadableSpan[]): number {
  let size = 0;
  for (const span of spans) size += spanSize(span);
  return size;
}
