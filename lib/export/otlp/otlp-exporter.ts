import { FAILED, SUCCESS } from '../export-result.js';
import { shorten } from './answer.js';
import type { MessageEncoder } from './encoded-span.js';
import { backoff } from './retry.js';
import { ConnectionError, RefusedError, type OtlpSender, type Reply } from './sender.js';

/** Time after which a receiver that has never accepted anything is reported if it does not answer, in milliseconds. */
const SILENCE = 2000;

/** The result of an export, in the terms of the SDK. */
export interface OtlpExportResult {
  readonly code: number;
  readonly error?: Error;
  /** Spans that have not arrived although the rest has. */
  readonly rejected?: number;
}

/** The outcome of the delivery of some spans. */
interface Delivery {
  readonly failed: number;
  readonly error?: Error | undefined;
}

/** Exports encoded spans or log records by the specification of OTLP. It has the methods of an exporter of the SDK. */
export class OtlpExporter<Encoded extends object> {
  /** Called with the error of each attempt that does not reach the receiver and is repeated, or that has no answer yet. */
  onUnreached: ((error: Error) => void) | undefined;

  private readonly inFlight = new Set<Promise<void>>();
  private readonly waits = new Set<() => void>();
  /** When each message was sent that waits for its answer, oldest first. */
  private readonly unanswered = new Set<{ readonly since: number }>();
  private mayRetry = true;
  private isReached = false;
  private isShutDown = false;

  /** @param timeout time of an export with all of its attempts, in milliseconds */
  constructor(
    private readonly encoder: MessageEncoder<Encoded>,
    private readonly sender: OtlpSender,
    private readonly timeout: number,
  ) {}

  export(spans: readonly Encoded[], done: (result: OtlpExportResult) => void): void {
    if (this.isShutDown) {
      done({ code: FAILED, error: new Error('the exporter has shut down') });
      return;
    }
    const exporting = this.exportUntil(spans, done);
    this.inFlight.add(exporting);
    void exporting.finally(() => this.inFlight.delete(exporting));
  }

  private async exportUntil(spans: readonly Encoded[], done: (result: OtlpExportResult) => void): Promise<void> {
    const { error, failed } = await this.deliver(spans, performance.now() + this.timeout);
    this.encoder.releaseSpans?.(spans);
    const reason = error && { error };
    if (failed === 0) done({ code: SUCCESS });
    else if (failed < spans.length) done({ code: SUCCESS, rejected: failed, ...reason });
    else done({ code: FAILED, ...reason });
  }

  /** True if the receiver has left a message without an answer for this time, in milliseconds. */
  isSilentFor(time: number): boolean {
    const [oldest] = this.unanswered;
    return oldest !== undefined && performance.now() - oldest.since >= time;
  }

  async forceFlush(): Promise<void> {
    await Promise.all(this.inFlight);
  }

  /** Waits for what is under way, gives up what waits for another attempt, and closes the connections. */
  async shutdown(): Promise<void> {
    this.isShutDown = true;
    this.stopRetrying();
    await this.forceFlush();
    this.sender.close();
  }

  /** Gives up exports that wait for another attempt, and makes no further attempts. */
  stopRetrying(): void {
    this.mayRetry = false;
    for (const stop of this.waits) stop();
  }

  /** Cuts what is under way. */
  close(): void {
    this.stopRetrying();
    this.sender.close();
  }

  /** Never rejects. */
  private async deliver(spans: readonly Encoded[], deadline: number): Promise<Delivery> {
    let body: Buffer;
    try {
      body = this.encoder.encodeRequest(spans);
    } catch (error) {
      return { failed: spans.length, error: error as Error };
    }
    const reply = await this.send(body, deadline);
    if (reply.type === 'accepted' && reply.hasLeft) this.encoder.releaseRequest?.(body);
    if (reply.type === 'too large' && spans.length > 1) return this.deliverHalves(spans, deadline);
    return reply.type === 'accepted' ? deliveryOf(reply, spans.length) : { failed: spans.length, error: reply.error };
  }

  private async deliverHalves(spans: readonly Encoded[], deadline: number): Promise<Delivery> {
    const middle = Math.ceil(spans.length / 2);
    const first = await this.deliver(spans.slice(0, middle), deadline);
    const second = await this.deliver(spans.slice(middle), deadline);
    return { failed: first.failed + second.failed, error: first.error ?? second.error };
  }

  /** Sends a message until there is a final reply, or no time for another attempt. */
  private async send(body: Buffer, deadline: number): Promise<Reply> {
    for (let attempt = 1; ; attempt++) {
      const started = performance.now();
      const reply = await this.attempt(body, started, deadline);
      if (reply.type !== 'retryable') return reply;
      const wait = reply.after ?? this.pauseAfter(reply.error, attempt, started);
      if (!this.mayRetry || performance.now() + wait >= deadline) return reply;
      // A receiver that answers is there, and another attempt is what it has asked for.
      if (reply.error instanceof ConnectionError) this.onUnreached?.(reply.error);
      await this.wait(wait);
      if (!this.mayRetry) return reply;
    }
  }

  private async attempt(body: Buffer, since: number, deadline: number): Promise<Reply> {
    const unanswered = { since };
    this.unanswered.add(unanswered);
    const endWatch = this.isReached ? undefined : this.reportSilence();
    try {
      const reply = await this.sender.send(body, Math.max(0, deadline - since));
      this.isReached ||= reply.type === 'accepted';
      return reply;
    } finally {
      endWatch?.();
      this.unanswered.delete(unanswered);
    }
  }

  /** Reports a receiver that does not answer for a while. Otherwise it would be noticed only when the time of the export is up. */
  private reportSilence(): () => void {
    const timer = setTimeout(() => {
      if (this.mayRetry) this.onUnreached?.(new ConnectionError(`no answer for ${SILENCE} ms`, 'ETIMEDOUT'));
    }, SILENCE);
    timer.unref();
    return () => clearTimeout(timer);
  }

  /** Returns the wait before another attempt. The time in which a receiver did not answer is a part of it. */
  private pauseAfter(error: Error, attempt: number, started: number): number {
    const pause = backoff(attempt);
    return error instanceof ConnectionError ? Math.max(0, pause - (performance.now() - started)) : pause;
  }

  /** Waits, unless retrying is stopped meanwhile. The timer does not keep the process alive. */
  private wait(time: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = () => {
        clearTimeout(timer);
        this.waits.delete(stop);
        resolve();
      };
      const timer = setTimeout(stop, time);
      timer.unref();
      this.waits.add(stop);
    });
  }
}

function deliveryOf({ message, rejectedSpans }: Reply & { type: 'accepted' }, count: number): Delivery {
  const failed = Math.min(rejectedSpans, count);
  if (failed === 0) return { failed };
  const reason = shorten(message) || 'it gives no reason';
  return { failed, error: new RefusedError(`the receiver has rejected ${failed}: ${reason}`, 'rejected') };
}
