import { TraceFlags } from '@opentelemetry/api';
import { describeError, warn } from '../../core/diagnostics.js';
import type { Component, ExportStatistics } from '../../tracing.runtime.js';
import type { ReportingExporter } from './reporting-exporter.js';
import { spanSize } from './span-size.js';
import { beforeDeadline } from '../time-limit.js';
import type { Transport } from './transport.js';
import type { SpanProcessor } from '../types.js';

/** The limits of a processor. */
export interface Bounds {
  /** The number of spans that the queue takes. */
  readonly maxQueueSize: number;
  /** The estimated bytes of all spans whose export has not ended. */
  readonly maxBytes: number;
  /** The time that a shutdown waits for the backend, in milliseconds. */
  readonly shutdownTimeout: number;
}

/** The names of a processor and its exporter in statistics. */
export interface Components {
  readonly processor: Component;
  readonly exporter: Component;
}

/**
 * Bounds a span processor of the SDK: it reports the spans that are dropped, bounds their memory, and its shutdown takes a
 * bounded time, shuts the exporter down once and leaves nothing behind that keeps the process alive.
 *
 * The SDK's batch processor waits for its last export, 30 s if need be, but not for one that has started before, and when the
 * last export fails it never shuts the exporter down.
 */
export class BoundedProcessor implements SpanProcessor {
  #shutdown: Promise<void> | undefined;
  #enqueuedTotal = 0;
  #enqueuedTotalBytes = 0;

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
    const { outcomes } = this.exporter;
    const size = spanSize(span);
    // The SDK drops spans at the same queue depth, but reports none of them.
    if (this.#queueDepth >= maxQueueSize) outcomes.countDropped(maxQueueSize);
    else if (this.#heldBytes + size > maxBytes) outcomes.countDropped(`${toMebibytes(this.#heldBytes)} MiB of spans`);
    else {
      this.#enqueuedTotal++;
      this.#enqueuedTotalBytes += size;
      this.processor.onEnd(span);
    }
  }

  /** Returns the statistics of the exporter. Undefined if it has no name in them. */
  statistics(): ExportStatistics | undefined {
    if (!this.components) return undefined;
    const { outcomes, taken } = this.exporter;
    const { dropped, exported, failures } = outcomes;
    const queued = this.#queueDepth;
    const capacity = this.bounds.maxQueueSize;
    return { ...this.components, taken, exported, failed: failures, dropped, queued, capacity };
  }

  get #queueDepth(): number {
    return this.#enqueuedTotal - this.exporter.taken;
  }

  get #heldBytes(): number {
    return this.#enqueuedTotalBytes - this.exporter.settledBytes;
  }

  /** Never rejects: exports that fail are reported when they do. */
  async forceFlush(): Promise<void> {
    await this.processor.forceFlush().catch(() => {});
    await this.exporter.whenSettled();
  }

  /**
   * Flushes for the last time before the process ends: an export that waits for its next attempt counts as failed, and so does
   * one that takes too long. Never rejects: failures are reported.
   */
  async flushBeforeExit(): Promise<void> {
    const { shutdownTimeout } = this.bounds;
    this.transport.stopRetrying?.();
    if (this.transport.isIdle?.()) this.exporter.failPending('no answer so far, and the process ends');
    const done = await beforeDeadline(Date.now() + shutdownTimeout, () => this.forceFlush());
    if (!done) this.exporter.failAll(`not done within ${shutdownTimeout} ms before the process ends`);
    this.exporter.outcomes.warnOfTotal();
    if (!done) this.#closeConnections();
  }

  /** Idempotent. Never rejects: failures are reported. */
  shutdown(): Promise<void> {
    return (this.#shutdown ??= this.#shutDown());
  }

  async #shutDown(): Promise<void> {
    const { shutdownTimeout } = this.bounds;
    const deadline = Date.now() + shutdownTimeout;
    this.transport.stopRetrying?.();
    const failed = this.transport.isIdle?.()
      ? this.exporter.failPending('no answer so far, and the application closes')
      : 0;
    // The exporter waits until the time of the next attempt of the exports that have just been failed.
    const exporterDeadline = failed > 0 ? 0 : deadline;
    // Before the exporter is shut down: some exporters give up their pending exports then.
    await beforeDeadline(deadline, () => this.forceFlush());
    await beforeDeadline(exporterDeadline, () => this.processor.shutdown());
    this.exporter.failAll(`not done within ${shutdownTimeout} ms at shutdown`);
    this.exporter.outcomes.warnOfTotal();
    this.#closeConnections();
    // The SDK's processor shuts the exporter down only if its last export has not failed.
    await beforeDeadline(exporterDeadline, () => this.exporter.shutdown());
  }

  #closeConnections(): void {
    try {
      this.transport.close?.();
    } catch (error) {
      const { destination } = this.exporter.outcomes;
      warn(`close:${destination}`, `The connection to ${destination} failed to close (${describeError(error)}).`);
    }
  }
}

function toMebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
