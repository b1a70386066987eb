import { warn } from '../core/diagnostics.js';
import { describeFailure, failureIn, NoAnswer } from './export-failure.js';
import type { Failure } from './span-queue.js';
import type { ItemExporter } from './transport.js';

/**
 * How often the parts of a batch whose export has thrown are exported again. Enough to find three spans that cannot be encoded
 * in a batch of 512 by halving it, and few enough for an exporter that always throws.
 */
const MAX_RETRIES = 64;

/** An export that has started, and whose result is not known. */
interface PendingExport {
  fail(error: unknown): void;
  timer?: NodeJS.Timeout;
}

/**
 * Shields the application from an exporter, which may throw, reject, call back twice or never, or change what it is given.
 * Nothing here throws or rejects.
 */
export class GuardedExporter<Item> {
  /** False after a batch of which no part could be exported without an exception. */
  private splitsAfterThrow = true;
  private readonly pending = new Set<PendingExport>();
  private shutdownResult: Promise<void> | undefined;
  /** Why exports fail from now on without reaching the exporter. */
  private closedBy: NoAnswer | undefined;

  /**
   * @param destination the name of the backend in warnings
   * @param timeout when an export without an answer counts as failed, in milliseconds
   */
  constructor(
    private readonly exporter: ItemExporter<Item>,
    private readonly destination: string,
    private readonly timeout: number,
  ) {}

  /** Exports spans. Calls back with what has failed: an empty list if all spans have arrived. */
  export(spans: readonly Item[], done: (failures: readonly Failure[]) => void): void {
    const retries = { left: this.splitsAfterThrow ? MAX_RETRIES : 0 };
    this.exportPart(spans, retries, (failures) => {
      if (totalOf(failures) < spans.length) this.splitsAfterThrow = true;
      done(failures);
    });
  }

  /** Counts all pending exports as failed, and all later ones, the rest of a batch that is exported in parts among them. */
  failAll(reason: string): void {
    this.closedBy = new NoAnswer(reason);
    for (const { fail } of [...this.pending]) fail(this.closedBy);
  }

  async forceFlush(): Promise<void> {
    if (!this.shutdownResult) await this.warnOnError('flush', () => this.exporter.forceFlush?.());
  }

  /** Shuts the exporter down. Idempotent. */
  shutdown(): Promise<void> {
    return (this.shutdownResult ??= this.warnOnError('shut down', () => this.exporter.shutdown()));
  }

  private exportPart(
    spans: readonly Item[],
    retries: { left: number },
    done: (failures: readonly Failure[]) => void,
  ): void {
    const count = spans.length;
    if (this.closedBy) {
      done([{ count, error: this.closedBy }]);
      return;
    }
    const settle = (failures: readonly Failure[]) => {
      // The first answer counts: some exporters answer twice, with a failure first.
      if (!this.pending.delete(pending)) return;
      clearTimeout(pending.timer);
      done(failures);
    };
    const pending: PendingExport = { fail: (error) => settle([{ count, error }]) };
    this.pending.add(pending);
    try {
      // A copy for the exporter, which may change the list: the count and a second attempt need all spans.
      const returned: unknown = this.exporter.export([...spans], (result) => settle(failuresIn(result, count)));
      // The method of an exporter may be async, although its result is ignored by the SDK.
      if (returned !== undefined) void Promise.resolve(returned).then(undefined, (error) => pending.fail(error));
    } catch (error) {
      if (this.pending.has(pending) && this.exportHalves(spans, retries, done)) {
        this.pending.delete(pending);
        return;
      }
      pending.fail(error);
    }
    if (!this.pending.has(pending)) return;
    const onTimeout = () => pending.fail(new NoAnswer(`no answer within ${this.timeout} ms`));
    pending.timer = setTimeout(onTimeout, this.timeout).unref();
  }

  /**
   * Exports both halves of a batch, because an export throws if a span cannot be encoded, and the other spans must not be lost
   * with it. Returns false if the batch cannot be split, or has been split too often.
   */
  private exportHalves(
    spans: readonly Item[],
    retries: { left: number },
    done: (failures: readonly Failure[]) => void,
  ): boolean {
    if (spans.length < 2) return false;
    if (retries.left < 2) {
      this.splitsAfterThrow = false;
      return false;
    }
    retries.left -= 2;
    const middle = Math.ceil(spans.length / 2);
    this.exportPart(spans.slice(0, middle), retries, (first) => {
      this.exportPart(spans.slice(middle), retries, (second) => done([...first, ...second]));
    });
    return true;
  }

  private async warnOnError(what: string, call: () => unknown): Promise<void> {
    const { destination } = this;
    try {
      await call();
    } catch (error) {
      warn(`${what}:${destination}`, `The exporter to ${destination} failed to ${what} (${describeFailure(error)}).`);
    }
  }
}

/** Returns what has failed of an export by its result, which may be any value. */
function failuresIn(result: unknown, count: number): readonly Failure[] {
  const failure = failureIn(result);
  if (failure) return [{ count, error: failure.error }];
  try {
    // The library's own exporter says how many spans the backend has rejected although it has accepted the rest.
    const { error, rejected } = result as { error?: unknown; rejected?: unknown };
    return typeof rejected === 'number' && rejected > 0 ? [{ count: Math.min(rejected, count), error }] : [];
  } catch {
    return []; // A getter of the application's exporter has thrown.
  }
}

function totalOf(failures: readonly Failure[]): number {
  return failures.reduce((total, { count }) => total + count, 0);
}
