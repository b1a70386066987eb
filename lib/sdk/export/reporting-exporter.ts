import { describeError, warn } from '../../core/diagnostics.js';
import type { ReadableSpan, SpanExporter } from '../../tracing.options.js';
import { FAILED, SUCCESS, type ExportCallback, type ExportResult } from '../types.js';

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
  #failed = 0;
  #failing = false;
  readonly #pending = new Set<PendingExport>();
  #settled: (() => void)[] = [];

  /**
   * @param destination how messages name the place where spans go
   * @param timeout when an export without an answer counts as failed, in milliseconds
   */
  constructor(
    private readonly exporter: SpanExporter,
    readonly destination: string,
    private readonly timeout: number,
  ) {}

  /** Spans that have been given to it, whatever became of them. */
  get taken(): number {
    return this.#taken;
  }

  /** Spans that have arrived. */
  get exported(): number {
    return this.#exported;
  }

  /** Spans that are lost. */
  get failed(): number {
    return this.#failed;
  }

  export(spans: ReadableSpan[], done: ExportCallback): void {
    this.#taken += spans.length;
    const pending: PendingExport = { fail: (error) => answer({ code: FAILED, error }) };
    const answer = (result: ExportResult) => {
      // Some exporters answer twice, with a failure first.
      if (!this.#pending.delete(pending)) return;
      clearTimeout(pending.timer);
      if (result.code === SUCCESS) this.#succeed(spans.length);
      else this.#fail(spans.length, result.error);
      done(result);
      if (this.#pending.size === 0) for (const resolve of this.#settled.splice(0)) resolve();
    };
    this.#pending.add(pending);
    try {
      this.exporter.export(spans, answer);
    } catch (error) {
      pending.fail(error instanceof Error ? error : new Error(describeError(error)));
    }
    if (!this.#pending.has(pending)) return;
    const unanswered = () => pending.fail(new Error(`no answer within ${this.timeout} ms`));
    pending.timer = setTimeout(unanswered, this.timeout).unref();
  }

  /** Resolves when every export that has begun is answered. The SDK itself waits only for those that a flush begins. */
  settled(): Promise<void> {
    return this.#pending.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#settled.push(resolve));
  }

  /** Counts every export that is under way as failed, so that nothing waits for it any longer. Returns how many. */
  abandon(reason: string): number {
    const abandoned = [...this.#pending];
    for (const pending of abandoned) pending.fail(new Error(reason));
    return abandoned.length;
  }

  async forceFlush(): Promise<void> {
    await this.#guard('flush', () => this.exporter.forceFlush?.());
  }

  async shutdown(): Promise<void> {
    await this.#guard('shut down', () => this.exporter.shutdown());
  }

  #succeed(count: number): void {
    this.#exported += count;
    if (!this.#failing) return;
    this.#failing = false;
    warn(`recovered:${this.destination}`, `Spans reach ${this.destination} again; ${this.#failed} are lost so far.`);
  }

  #fail(count: number, error: unknown): void {
    this.#failed += count;
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

/** A host name with several addresses fails with an error for each, under one that says nothing. */
function reasonOf(error: unknown): string {
  if (error === undefined) return 'the exporter gives no reason';
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(describeError).join(', ');
  return describeError(error);
}
