import { setImmediate as nextTurn } from 'node:timers/promises';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { callInContext } from '../core/context-manager.js';
import { describeError, reportIgnored, warn } from '../core/diagnostics.js';
import { outsideOfRequests } from '../core/suppression.js';
import type { ReadableSpan } from '../options/sdk-types.js';
import { SPANS, type ExportedKind } from './exported-kind.js';
import { GuardedExporter } from './guarded-exporter.js';
import { SpanQueue, type Batch, type QueueLimits } from './span-queue.js';
import { beforeDeadline } from './time-limit.js';
import type { Transport } from './transport.js';

/** The longest wait of the first span, in milliseconds. */
const FIRST_DELAY = 1000;

/**
 * The time without an answer after which one more export than are allowed at a time may start, in milliseconds. Otherwise exports to a
 * backend that never answers would take all places, and it would be noticed only when their time is up that the backend is back.
 */
const PROBE_AFTER = 2000;
/** Exports under way beyond which no more are started to see whether the backend is back. */
const MAX_PROBED = 16;

export interface ExportSettings extends QueueLimits {
  /** Spans in one export. */
  readonly maxBatchSize: number;
  /** Longest wait of a span, in milliseconds. Undefined if each span is exported as soon as it ends. */
  readonly delay: number | undefined;
  /** When an export counts as failed, in milliseconds. */
  readonly exportTimeout: number;
  /** Longest time that a shutdown waits for the backend, in milliseconds. */
  readonly shutdownTimeout: number;
}

/**
 * Takes spans or log records to one backend: they wait in a queue and leave in batches.
 *
 * Everything it does takes a bounded time and a bounded memory, and nothing it leaves behind keeps the process alive.
 *
 * @typeParam Item the form in which a span or a log record waits and is exported
 */
export class BatchExporter<Item extends object, Source extends object> {
  readonly queue: SpanQueue<Item>;
  private readonly exporter: GuardedExporter<Item>;
  private readonly inFlight = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private probeTimer: NodeJS.Timeout | undefined;
  /** Spans up to this one leave without waiting for a full batch: their number in the order of arrival. */
  private dueTotal = 0;
  private isShutDown = false;
  private shutdownResult: Promise<void> | undefined;
  /** Resolves when nothing is waited for any longer. */
  private readonly givenUp: Promise<void>;
  private giveUp = (): void => {};

  constructor(
    protected readonly transport: Transport<Item, Source>,
    private readonly destination: string,
    private readonly settings: ExportSettings,
    kind: ExportedKind = SPANS,
  ) {
    this.queue = new SpanQueue(destination, settings, transport.hintFor, kind);
    transport.watchReach?.((error) => this.queue.outcomes.countUnreached(error));
    this.exporter = new GuardedExporter(transport.exporter, destination, settings.exportTimeout);
    this.givenUp = new Promise((resolve) => (this.giveUp = resolve));
  }

  /** Takes a span that has ended, or a log record. */
  protected accept(source: Source): void {
    if (this.isShutDown || !this.queue.hasRoom()) return;
    const item = this.prepare(source);
    if (!item || !this.queue.add(item)) return;
    const { delay, maxBatchSize } = this.settings;
    if (delay === undefined) this.exportAtOnce();
    else if (this.queue.waiting >= maxBatchSize) this.startDue();
    else this.scheduleTimer(delay);
  }

  /** Returns the form in which a span waits. Undefined if it has none: a span that cannot be encoded must not take others with it. */
  private prepare(source: Source): Item | undefined {
    const { prepare } = this.transport;
    // Without a function, the span itself is the item.
    if (!prepare) return source as object as Item;
    try {
      return prepare(source);
    } catch (error) {
      this.queue.refuse(error);
      return undefined;
    }
  }

  /** Exports the spans that have ended so far. Never rejects: exports that fail are reported when they do. */
  async forceFlush(): Promise<void> {
    const target = this.queue.acceptedTotal;
    this.dueTotal = Math.max(this.dueTotal, target);
    this.startDue();
    while (this.queue.takenTotal < target && this.inFlight.size > 0) await Promise.race(this.inFlight);
    await Promise.all(this.inFlight);
    await this.exporter.forceFlush();
  }

  /**
   * The last export before the process ends: whatever waits for another attempt is given up, and what is not done in time
   * is cut. Never rejects: what goes wrong is reported.
   */
  async flushBeforeExit(): Promise<void> {
    const { shutdownTimeout } = this.settings;
    this.transport.stopRetrying?.();
    const isDone = await beforeDeadline(Date.now() + shutdownTimeout, () => this.forceFlush());
    if (!isDone) await this.failAll(`not done within ${shutdownTimeout} ms before the process ends`);
    this.queue.outcomes.warnOfTotal();
    if (!isDone) this.closeTransport();
  }

  /** Never rejects: what goes wrong is reported. Idempotent. */
  shutdown(): Promise<void> {
    return (this.shutdownResult ??= this.shutDown());
  }

  private async shutDown(): Promise<void> {
    const { shutdownTimeout } = this.settings;
    const deadline = Date.now() + shutdownTimeout;
    this.isShutDown = true;
    clearTimeout(this.timer);
    this.transport.stopRetrying?.();
    // Before the exporter hears of the shutdown: some give up what is under way.
    await beforeDeadline(deadline, () => this.forceFlush());
    await this.failAll(`not done within ${shutdownTimeout} ms at shutdown`);
    this.queue.outcomes.warnOfTotal();
    await beforeDeadline(deadline, () => this.exporter.shutdown());
    this.closeTransport();
  }

  private readonly onTimer = (): void => {
    this.timer = undefined;
    this.dueTotal = this.queue.acceptedTotal;
    this.startDue();
  };

  private exportAtOnce(): void {
    this.start(this.queue.take(1, Infinity), undefined);
  }

  /** Starts exports of full batches, and of spans that have waited long enough, as many as may be under way. */
  private startDue(): void {
    const { inFlight, queue, settings } = this;
    const { maxConcurrent = 1 } = this.transport;
    while (inFlight.size < maxConcurrent && this.isDue) this.startNext();
    if (inFlight.size >= maxConcurrent) this.scheduleProbe();
    else if (queue.waiting > 0 && !this.isShutDown) this.scheduleTimer(settings.delay);
  }

  /** True if there is a full batch, or spans that have waited long enough. */
  private get isDue(): boolean {
    const { dueTotal, queue, settings } = this;
    return queue.waiting > 0 && (queue.waiting >= settings.maxBatchSize || queue.takenTotal < dueTotal);
  }

  private startNext(): void {
    const { maxMessageBytes = Infinity } = this.transport;
    // The application goes on first.
    this.start(this.queue.take(this.settings.maxBatchSize, maxMessageBytes), nextTurn());
  }

  /** Starts to wait for an answer. Each answer ends this wait. */
  private scheduleProbe(): void {
    if (!this.transport.isSilentFor) return;
    const start = () => (this.probeTimer ??= setTimeout(this.onProbe, PROBE_AFTER).unref());
    callInContext(outsideOfRequests(), start, undefined, []);
  }

  private readonly onProbe = (): void => {
    const { inFlight, queue, transport } = this;
    this.probeTimer = undefined;
    if (queue.waiting > 0 && inFlight.size < MAX_PROBED && transport.isSilentFor?.(PROBE_AFTER)) this.startNext();
    this.scheduleProbe();
  };

  /** The timer would otherwise keep the context of the request whose span it starts to wait for. */
  private scheduleTimer(delay: number | undefined): void {
    if (this.timer) return;
    // The very first export comes early, so that it is soon seen whether there is a backend.
    const wait = this.queue.takenTotal === 0 && delay !== undefined ? Math.min(delay, FIRST_DELAY) : delay;
    const start = () => (this.timer = setTimeout(this.onTimer, wait).unref());
    // Entering a context makes Node 20 follow every callback, which an application without requests can do without.
    if (context.active() === ROOT_CONTEXT) start();
    else callInContext(outsideOfRequests(), start, undefined, []);
  }

  /** @param after what the export waits for; undefined if it starts at once */
  private start(batch: Batch<Item>, after: Promise<void> | undefined): void {
    const exporting = callInContext(
      outsideOfRequests(),
      () => this.exportBatch(batch, after),
      undefined,
      [],
    ) as Promise<void>;
    this.inFlight.add(exporting);
    void exporting.finally(() => {
      this.inFlight.delete(exporting);
      clearTimeout(this.probeTimer);
      this.probeTimer = undefined;
      if (this.settings.delay !== undefined) this.startDue();
    });
  }

  private async exportBatch(batch: Batch<Item>, after: Promise<void> | undefined): Promise<void> {
    if (after) await after;
    const pendingResource = pendingResourceOf(batch);
    if (pendingResource) await this.waitFor(pendingResource);
    await new Promise<void>((resolve) => {
      this.exporter.export(batch.spans, (failures) => {
        this.queue.settle(batch, failures);
        resolve();
      });
    });
  }

  /** Waits for the attributes of a resource, but no longer than for an export. */
  private async waitFor(pendingResource: Promise<void>): Promise<void> {
    const deadline = Date.now() + this.settings.exportTimeout;
    await beforeDeadline(deadline, () => Promise.race([pendingResource, this.givenUp]));
  }

  /** Counts everything that waits or is under way as failed, so that nothing waits for it any longer. */
  private async failAll(reason: string): Promise<void> {
    this.exporter.failAll(reason);
    this.giveUp();
    if (this.queue.waiting > 0) {
      const batch = this.queue.take(Infinity, Infinity);
      this.queue.settle(batch, [{ count: batch.spans.length, error: new Error(reason) }]);
    }
    await Promise.all(this.inFlight);
  }

  private closeTransport(): void {
    try {
      this.transport.close?.();
    } catch (error) {
      const { destination } = this;
      warn(`close:${destination}`, `The connection to ${destination} failed to close (${describeError(error)}).`);
    }
  }
}

/** Resolves when the attributes of the resource are there. Undefined if they are there already. */
function pendingResourceOf({
  spans: [span],
}: Batch<{ readonly resource?: ReadableSpan['resource'] }>): Promise<void> | undefined {
  const resource = span?.resource;
  return resource?.asyncAttributesPending ? attributesOf(resource) : undefined;
}

async function attributesOf(resource: ReadableSpan['resource']): Promise<void> {
  try {
    await resource.waitForAsyncAttributes?.();
  } catch (error) {
    reportIgnored('A resource detector', error);
  }
}
