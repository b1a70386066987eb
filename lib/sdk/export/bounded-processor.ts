import { TraceFlags } from '@opentelemetry/api';
import { describeError, warn } from '../../core/diagnostics.js';
import type { Component, ExportStatistics } from '../../tracing.runtime.js';
import type { ReportingExporter } from './reporting-exporter.js';
import { spanSize } from './span-size.js';
import { beforeDeadline } from '../time-limit.js';
import type { Transport } from './transport.js';
import type { SpanProcessor } from '../types.js';

/** What bounds a processor. */
export interface Bounds {
  /** Spans that may wait for their export. */
  readonly maxQueueSize: number;
  /** Estimated bytes that all spans together may have whose export has not ended. */
  readonly maxBytes: number;
  /** Longest time that shutdown waits for the backend, in milliseconds. */
  readonly shutdownTimeout: number;
}

/** What it and its exporter are called in statistics. */
export interface Components {
  readonly processor: Component;
  readonly exporter: Component;
}

/**
 * Puts bounds around a span processor of the SDK: it reports the spans that are dropped, bounds their memory, and its
 * shutdown takes a bounded time, shuts the exporter down once and leaves nothing behind that keeps the process alive.
 *
 * The SDK's batch processor waits for its last export, 30 s if need be, but not for one that has begun before, and when the
 * last export fails it never shuts the exporter down.
 */
export class BoundedProcessor implements SpanProcessor {
  #shutdown: Promise<void> | undefined;
  #queued = 0;
  #queuedBytes = 0;

  constructor(
    private readonly processor: SpanProcessor,
    private readonly exporter: ReportingExporter,
    private readonly transport: Transport,
    private readonly bounds: Bounds,
    private readonly components?: Components,
  ) {}

  onStart(...args: Parameters<SpanProcessor['onStart']>): void {
    this.processor.onStart(...args);
  }

  onEnd(span: Parameters<SpanProcessor['onEnd']>[0]): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0 || this.#shutdown) return;
    const { maxQueueSize, maxBytes } = this.bounds;
    const size = spanSize(span);
    // The SDK drops at the same point, but tells it to nobody.
    if (this.#waiting >= maxQueueSize) this.exporter.drop(maxQueueSize);
    else if (this.#heldBytes + size > maxBytes) this.exporter.drop(`${toMebibytes(this.#heldBytes)} MiB of spans`);
    else {
      this.#queued++;
      this.#queuedBytes += size;
      this.processor.onEnd(span);
    }
  }

  /** Undefined where nothing is counted. */
  statistics(): ExportStatistics | undefined {
    if (!this.components) return undefined;
    const { dropped, exported, failures, taken } = this.exporter;
    const queued = this.#waiting;
    const capacity = this.bounds.maxQueueSize;
    return { ...this.components, taken, exported, failed: failures, dropped, queued, capacity };
  }

  get #waiting(): number {
    return this.#queued - this.exporter.taken;
  }

  get #heldBytes(): number {
    return this.#queuedBytes - this.exporter.settledBytes;
  }

  /** Never rejects: exports that fail are reported when they do. */
  async forceFlush(): Promise<void> {
    await this.processor.forceFlush().catch(() => {});
    await this.exporter.settled();
  }

  /**
   * The last export before the process ends: whatever waits for another attempt is given up, and what is not done in time
   * is cut. Never rejects: what goes wrong is reported.
   */
  async flushBeforeExit(): Promise<void> {
    const { shutdownTimeout } = this.bounds;
    this.transport.stopRetrying?.();
    if (this.transport.isIdle?.()) this.exporter.giveUp('no answer so far, and the process ends');
    const done = await beforeDeadline(Date.now() + shutdownTimeout, () => this.forceFlush());
    if (!done) this.exporter.abandon(`not done within ${shutdownTimeout} ms before the process ends`);
    this.exporter.sumUp();
    if (!done) this.#close();
  }

  /** Never rejects: what goes wrong is reported. */
  shutdown(): Promise<void> {
    return (this.#shutdown ??= this.#shutDown());
  }

  async #shutDown(): Promise<void> {
    const { shutdownTimeout } = this.bounds;
    const deadline = Date.now() + shutdownTimeout;
    this.transport.stopRetrying?.();
    const givenUp = this.transport.isIdle?.()
      ? this.exporter.giveUp('no answer so far, and the application closes')
      : 0;
    // Before the exporter hears of the shutdown: some give up what is under way.
    await beforeDeadline(deadline, () => this.forceFlush());
    // The exporter would wait until the time of the next attempt of what has been given up.
    await beforeDeadline(givenUp > 0 ? 0 : deadline, () => this.processor.shutdown());
    this.exporter.abandon(`not done within ${shutdownTimeout} ms at shutdown`);
    this.exporter.sumUp();
    this.#close();
    // The processor did not if its last export failed.
    await beforeDeadline(givenUp > 0 ? 0 : deadline, () => this.exporter.shutdown());
  }

  #close(): void {
    try {
      this.transport.close?.();
    } catch (error) {
      const { destination } = this.exporter;
      warn(`close:${destination}`, `The connection to ${destination} failed to close (${describeError(error)}).`);
    }
  }
}

function toMebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
