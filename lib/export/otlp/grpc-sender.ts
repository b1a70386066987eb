import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import { collectAnswer, limitPreliminary, shorten } from './answer.js';
import { compress } from './compress.js';
import { GrpcConnection, type GrpcConnectionOptions, type GrpcSession } from './grpc-connection.js';
import { readPartialSuccess } from './partial-success.js';
import { readRetryDelay } from './retry-info.js';
import { isRetryable } from './retry.js';
import {
  ConnectionError,
  RefusedError,
  StaleConnectionError,
  timeoutError,
  toConnectionError,
  type OtlpSender,
  type Reply,
} from './sender.js';

/** Bytes before a message: whether it is compressed, and its length. */
const PREFIX = 5;

const OK = 0;
const UNKNOWN = 2;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;

/** Status codes after which the specification of OTLP wants another attempt: it may be that the receiver has not seen the message. */
const RETRYABLE = new Set([1, 4, 10, 11, UNAVAILABLE, 15]);

export interface GrpcSenderOptions extends GrpcConnectionOptions {
  /** The path of the method that is called. */
  readonly method: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly compression: 'gzip' | 'none';
}

/** The status with which a call of gRPC ends. */
interface Status {
  readonly code: number;
  readonly message: string;
  /** Details for the client, in base64. */
  readonly details: string | undefined;
  readonly answer: Buffer;
}

/**
 * Sends messages of OTLP over gRPC: one call each, on one connection of HTTP/2. A connection that is silent beyond the time of a
 * call, or on which the receiver replies to no ping, is destroyed, so the next call reaches a receiver that is back at once.
 */
export class GrpcSender implements OtlpSender {
  private readonly connection: GrpcConnection;
  private isClosed = false;

  constructor(private readonly options: GrpcSenderOptions) {
    this.connection = new GrpcConnection(options);
  }

  async send(body: Buffer, timeout: number): Promise<Reply> {
    const deadline = performance.now() + timeout;
    try {
      const message = await this.frame(body);
      try {
        return replyOf(await this.call(message, timeout));
      } catch (error) {
        const rest = deadline - performance.now();
        if (!(error instanceof StaleConnectionError) || this.isClosed || rest <= 0) throw error;
        // The connection was lost while it was idle: a new one has to be tried at once, also when the application closes.
        return replyOf(await this.call(message, rest));
      }
    } catch (error) {
      return { type: 'retryable', error: toConnectionError(error), after: undefined };
    }
  }

  close(): void {
    this.isClosed = true;
    this.connection.close();
  }

  private async frame(body: Buffer): Promise<Buffer> {
    const isCompressed = this.options.compression === 'gzip';
    const payload = isCompressed ? await compress(body) : body;
    const prefix = Buffer.alloc(PREFIX);
    prefix[0] = Number(isCompressed);
    prefix.writeUInt32BE(payload.length, 1);
    return Buffer.concat([prefix, payload]);
  }

  /** @throws ConnectionError if there is no status */
  private async call(message: Buffer, timeout: number): Promise<Status> {
    const session = await this.connection.session();
    const { http2, watch } = session;
    const isUsed = watch.hasAnswered;
    const timer = setTimeout(() => http2.destroy(timeoutError(timeout)), timeout);
    timer.unref();
    watch.enter();
    try {
      const status = await exchange(session, this.headers(timeout), message);
      if (status.code !== OK) this.connection.renew(session);
      return status;
    } catch (error) {
      const isLost = http2.closed || http2.destroyed;
      // The receiver may also have reset the call alone.
      this.connection.renew(session);
      const { code, message: reason } = toConnectionError(error);
      throw isUsed && isLost ? new StaleConnectionError(reason, code) : error;
    } finally {
      clearTimeout(timer);
      watch.leave();
    }
  }

  private headers(timeout: number): Record<string, string> {
    const { compression, metadata } = this.options;
    return {
      ...metadata,
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: this.options.method,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${Math.max(1, Math.floor(timeout))}m`,
      'grpc-accept-encoding': 'identity',
      ...(compression === 'gzip' && { 'grpc-encoding': 'gzip' }),
    };
  }
}

function exchange({ http2, watch }: GrpcSession, headers: Record<string, string>, message: Buffer): Promise<Status> {
  return new Promise((resolve, reject) => {
    let stream: ClientHttp2Stream;
    // A call that waits for the connection fails with an error that has the error of the connection as its cause.
    const fail = (error: Error) => reject(toConnectionError(error.cause ?? error));
    // An error of the session may come without one of the stream.
    http2.once('error', fail);
    try {
      stream = http2.request(headers);
    } catch (error) {
      fail(error as Error);
      return;
    }
    const answer = collectAnswer(stream, (error) => stream.destroy(error));
    const countPreliminary = limitPreliminary((error) => stream.destroy(error));
    let head: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on('error', fail);
    // A head with a status of 1xx.
    stream.on('headers', countPreliminary);
    stream.on('response', (received) => {
      watch.onAnswer();
      head = received;
    });
    stream.on('trailers', (received: IncomingHttpHeaders) => (trailers = received));
    stream.on('close', () => {
      http2.off('error', fail);
      const status = statusOf(head, trailers, answer());
      if (status) resolve(status);
      else fail(new ConnectionError('the connection was closed without an answer', 'ECONNRESET'));
    });
    stream.end(message);
  });
}

function statusOf(head: IncomingHttpHeaders, trailers: IncomingHttpHeaders, answer: Buffer): Status | undefined {
  // A call that fails at once has its status in the head.
  const source = trailers['grpc-status'] === undefined ? head : trailers;
  const code = source['grpc-status'];
  if (code !== undefined) {
    const details = source['grpc-status-details-bin'];
    return { code: Number(code), message: decode(source['grpc-message']), details: textOf(details), answer };
  }
  const httpStatus = Number(head[':status'] ?? 200);
  if (httpStatus === 200) return undefined;
  const message = `status ${httpStatus} of HTTP: no gRPC server`;
  // A proxy answers so while the receiver is not there.
  return { code: isRetryable(httpStatus) ? UNAVAILABLE : UNKNOWN, message, details: undefined, answer };
}

function replyOf({ answer, code, details, message }: Status): Reply {
  if (code === OK)
    return {
      type: 'accepted',
      // The frame is a copy of the message.
      hasLeft: true,
      ...readPartialSuccess('application/x-protobuf', answer.subarray(PREFIX)),
    };
  const error = new RefusedError(`gRPC status ${code}${message && `: ${shorten(message)}`}`, code);
  const after = details === undefined ? undefined : readRetryDelay(Buffer.from(details, 'base64'));
  if (code === RESOURCE_EXHAUSTED) {
    // The receiver may have no room for now, which it says by a delay, or the message may be larger than it takes.
    if (after !== undefined) return { type: 'retryable', error, after };
    return { type: /larger than max/i.test(message) ? 'too large' : 'refused', error };
  }
  return RETRYABLE.has(code) ? { type: 'retryable', error, after } : { type: 'refused', error };
}

/** Messages are percent-encoded in headers. */
function decode(value: string | string[] | undefined): string {
  const text = textOf(value) ?? '';
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
