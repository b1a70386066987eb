import { STATUS_CODES } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { callInContext } from '../../core/context-manager.js';
import { cutText } from '../../core/cut-text.js';
import { suppressTracing } from '../../core/suppression.js';
import type { ReadableSpan } from '../../options/sdk-types.js';
import { FAILED, SUCCESS } from '../export-result.js';
import { ConnectionError, type Answer, type HttpSender } from './http-sender.js';
import { readPartialSuccess } from './partial-success.js';
import { backoff, isRetryable, retryAfter } from './retry.js';
import { createPause, type Pause } from './slices.js';

const compress = promisify(gzip);

/** Characters of an answer in a message. */
const MAX_SHOWN = 256;
const TOO_LARGE = 413;

/** Context of everything that the exporter does: it would otherwise hold the context of the request whose span filled a batch. */
const UNTRACED = suppressTracing(ROOT_CONTEXT);

export interface OtlpEncoder {
  readonly contentType: string;
  encode(spans: readonly ReadableSpan[], pause: Pause): Promise<Buffer>;
}

export interface OtlpHttpOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Time of an export with all of its attempts, in milliseconds. */
  readonly timeout: number;
  readonly compression: 'gzip' | 'none';
}

/** The result of an export, in the terms of the SDK. */
export interface OtlpExportResult {
  readonly code: number;
  readonly error?: Error;
  /** Spans that have not arrived although the rest has. */
  readonly rejected?: number;
}

/** An answer that says that spans have not arrived. */
class RefusedError extends Error {
  constructor(
    message: string,
    readonly code: number | string | undefined,
  ) {
    super(message);
  }
}

/** The outcome of the delivery of some spans. */
interface Delivery {
  readonly failed: number;
  readonly error?: Error | undefined;
}

/** Exports spans by OTLP over HTTP, by the specification of the protocol. It works like any exporter of the SDK. */
export class OtlpHttpExporter {
  private readonly headers: Record<string, string>;
  /** Settles when the message before is encoded: the encoder has one buffer. */
  private encoding: Promise<unknown> = Promise.resolve();
  private readonly inFlight = new Set<Promise<void>>();
  private readonly waits = new Set<() => void>();
  private mayRetry = true;
  private isShutDown = false;

  constructor(
    private readonly sender: HttpSender,
    private readonly encoder: OtlpEncoder,
    private readonly options: OtlpHttpOptions,
  ) {
    this.headers = { ...options.headers, 'content-type': encoder.contentType };
    if (options.compression === 'gzip') this.headers['content-encoding'] = 'gzip';
  }

  export(spans: readonly ReadableSpan[], done: (result: OtlpExportResult) => void): void {
    if (this.isShutDown) {
      done({ code: FAILED, error: new Error('the exporter has shut down') });
      return;
    }
    const exporting = callInContext(UNTRACED, () => this.exportUntil(spans, done), undefined, []) as Promise<void>;
    this.inFlight.add(exporting);
    void exporting.finally(() => this.inFlight.delete(exporting));
  }

  private async exportUntil(spans: readonly ReadableSpan[], done: (result: OtlpExportResult) => void): Promise<void> {
    const { error, failed } = await this.deliver(spans, performance.now() + this.options.timeout);
    const reason = error && { error };
    if (failed === 0) done({ code: SUCCESS });
    else if (failed < spans.length) done({ code: SUCCESS, rejected: failed, ...reason });
    else done({ code: FAILED, ...reason });
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
  private async deliver(spans: readonly ReadableSpan[], deadline: number): Promise<Delivery> {
    let body: Buffer;
    try {
      body = await this.encode(spans);
    } catch (error) {
      // A span that cannot be encoded must not take the others with it.
      if (spans.length > 1) return this.deliverHalves(spans, deadline);
      return { failed: 1, error: error as Error };
    }
    try {
      const answer = await this.send(body, deadline);
      if (answer.status === TOO_LARGE && spans.length > 1) return await this.deliverHalves(spans, deadline);
      return this.outcomeOf(answer, spans.length);
    } catch (error) {
      return { failed: spans.length, error: error as Error };
    }
  }

  private async deliverHalves(spans: readonly ReadableSpan[], deadline: number): Promise<Delivery> {
    const middle = Math.ceil(spans.length / 2);
    const first = await this.deliver(spans.slice(0, middle), deadline);
    const second = await this.deliver(spans.slice(middle), deadline);
    return { failed: first.failed + second.failed, error: first.error ?? second.error };
  }

  private async encode(spans: readonly ReadableSpan[]): Promise<Buffer> {
    const { encoder, options } = this;
    const encoded = this.encoding.then(() => encoder.encode(spans, createPause()));
    this.encoding = encoded.catch(() => {});
    const body = await encoded;
    return options.compression === 'gzip' ? compress(body) : body;
  }

  /** Sends a message until it is answered for good. @throws ConnectionError if no attempt was answered */
  private async send(body: Buffer, deadline: number): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const attempted = await this.attempt(body, deadline);
      const isFinal = !(attempted instanceof Error) && !isRetryable(attempted.status);
      const wait = this.waitAfter(attempted, attempt);
      if (isFinal || !this.mayRetry || performance.now() + wait > deadline) {
        if (attempted instanceof Error) throw attempted;
        return attempted;
      }
      await this.wait(wait);
      if (this.mayRetry) continue;
      if (attempted instanceof Error) throw attempted;
      return attempted;
    }
  }

  private async attempt(body: Buffer, deadline: number): Promise<Answer | ConnectionError> {
    try {
      return await this.sender.post(body, this.headers, Math.max(0, deadline - performance.now()));
    } catch (error) {
      if (error instanceof ConnectionError) return error;
      throw error;
    }
  }

  private waitAfter(attempted: Answer | ConnectionError, attempt: number): number {
    const asked = attempted instanceof Error ? undefined : retryAfter(attempted.headers);
    return asked ?? backoff(attempt);
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

  private outcomeOf({ body, headers, status }: Answer, count: number): Delivery {
    if (status >= 200 && status < 300) {
      const { message, rejectedSpans } = readPartialSuccess(headers['content-type'], body);
      const failed = Math.min(rejectedSpans, count);
      const reason = `the receiver has rejected ${failed}: ${cutText(message, MAX_SHOWN) || 'it gives no reason'}`;
      return failed > 0 ? { failed, error: new RefusedError(reason, 'rejected') } : { failed };
    }
    return { failed: count, error: refusal(status, headers.location, body) };
  }
}

function refusal(status: number, location: string | undefined, body: Buffer): RefusedError {
  if (status >= 300 && status < 400) {
    const target = location === undefined ? '' : ` to ${publicTarget(location)}`;
    return new RefusedError(
      `status ${status}, a redirect${target}, which is not followed: correct the endpoint`,
      status,
    );
  }
  const text = printable(body);
  return new RefusedError(`status ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd() + (text && `: ${text}`), status);
}

/** The target of a redirect without its query, which may hold secrets. */
function publicTarget(location: string): string {
  return cutText(location.replace(/[?#].*$/s, '').replace(/\/\/[^/@]*@/, '//'), MAX_SHOWN);
}

/** An answer as a text, if it is one. */
function printable(body: Buffer): string {
  const text = cutText(body.toString('utf8').trim(), MAX_SHOWN);
  return /^[\p{L}\p{N}\p{P}\p{S}\p{Zs}\r\n\t]*$/u.test(text) ? text.replace(/\s+/g, ' ') : '';
}
