import { STATUS_CODES } from 'node:http';
import { shorten } from './answer.js';
import { compress } from './compress.js';
import type { Answer, HttpConnections } from './http-connections.js';
import { NONE_REJECTED, readPartialSuccess } from './partial-success.js';
import { isRetryable, retryAfter } from './retry.js';
import { ConnectionError, RefusedError, WEB_PAGE, type OtlpSender, type Reply } from './sender.js';

const TOO_LARGE = 413;

export interface HttpSenderOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly compression: 'gzip' | 'none';
  /** True if the answer is one of OTLP, which may say that spans were rejected. @default true */
  readonly mayRejectSpans?: boolean;
}

/** Sends messages over HTTP, by the rules of OTLP. */
export class HttpSender implements OtlpSender {
  private readonly headers: Record<string, string>;
  private readonly compresses: boolean;
  private readonly mayRejectSpans: boolean;

  constructor(
    private readonly connections: HttpConnections,
    { compression, contentType, headers, mayRejectSpans = true }: HttpSenderOptions,
  ) {
    this.mayRejectSpans = mayRejectSpans;
    this.compresses = compression === 'gzip';
    this.headers = { ...headers, 'content-type': contentType };
    if (this.compresses) this.headers['content-encoding'] = 'gzip';
  }

  async send(body: Buffer, timeout: number): Promise<Reply> {
    const sent = this.compresses ? await compress(body) : body;
    try {
      const reply = replyOf(await this.connections.post(sent, this.headers, timeout), this.mayRejectSpans);
      // A new connection may lead to another receiver: by a load balancer, or by an address that the name has now.
      if (reply.type !== 'accepted') setImmediate(() => this.connections.closeIdle());
      return reply;
    } catch (error) {
      if (error instanceof ConnectionError) return { type: 'retryable', error, after: undefined };
      return { type: 'refused', error: error as Error };
    }
  }

  close(): void {
    this.connections.close();
  }
}

function replyOf({ body, hasLeft, headers, status }: Answer, mayRejectSpans: boolean): Reply {
  if (status >= 200 && status < 300) {
    if (isWebPage(headers['content-type'], body))
      return { type: 'refused', error: new RefusedError(`status ${status} with a web page`, WEB_PAGE) };
    const rejection = mayRejectSpans ? readPartialSuccess(headers['content-type'], body) : NONE_REJECTED;
    return { type: 'accepted', hasLeft, ...rejection };
  }
  const error = refusal(status, headers.location, body);
  if (status === TOO_LARGE) return { type: 'too large', error };
  return isRetryable(status) ? { type: 'retryable', error, after: retryAfter(headers) } : { type: 'refused', error };
}

/** True for the answer of a server that has a page for every address: it is no receiver, though it takes everything. */
function isWebPage(contentType: string | undefined, body: Buffer): boolean {
  return contentType?.startsWith('text/html') === true && /^\s*</.test(body.toString('latin1', 0, 64));
}

function refusal(status: number, location: string | undefined, body: Buffer): RefusedError {
  if (status >= 300 && status < 400) {
    const target = location === undefined ? '' : ` to ${publicTarget(location)}`;
    const reason = `status ${status}, a redirect${target}, which is not followed: correct the endpoint`;
    return new RefusedError(reason, status);
  }
  const text = printable(body);
  return new RefusedError(`status ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd() + (text && `: ${text}`), status);
}

/** The target of a redirect without its query, which may hold secrets. */
function publicTarget(location: string): string {
  return shorten(location.replace(/[?#].*$/s, '').replace(/\/\/[^/@]*@/, '//'));
}

/** An answer as a text, if it is one. */
function printable(body: Buffer): string {
  const text = shorten(body.toString('utf8').trim());
  return /^[\p{L}\p{N}\p{P}\p{S}\p{Zs}\r\n\t]*$/u.test(text) ? text.replace(/\s+/g, ' ') : '';
}
