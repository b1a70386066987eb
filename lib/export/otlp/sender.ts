/** The reply of a receiver to a message, in the terms of OTLP. */
export type Reply =
  /** The receiver has accepted the spans, but for some that it rejects, which its message explains. */
  | {
      readonly type: 'accepted';
      readonly rejectedSpans: number;
      readonly message: string;
      /** True if nothing of the message waits to be sent: a receiver may answer before it has read all. */
      readonly hasLeft: boolean;
    }
  /** Another attempt may succeed, after the time that the receiver asks for, in milliseconds. */
  | { readonly type: 'retryable'; readonly error: Error; readonly after: number | undefined }
  | { readonly type: 'too large'; readonly error: Error }
  | { readonly type: 'refused'; readonly error: Error };

/** Sends encoded messages to one receiver. */
export interface OtlpSender {
  /**
   * Sends a message. Never rejects: a connection that fails is a reply that another attempt may change.
   *
   * @param timeout time until the whole reply has come, in milliseconds: then the connection is destroyed, so that a receiver which
   *   never answers, or never stops answering, holds neither a socket nor a place
   */
  send(body: Buffer, timeout: number): Promise<Reply>;
  /** Destroys every connection, and allows no more. */
  close(): void;
}

/** The connection failed, or the time was up, before there was a reply. */
export class ConnectionError extends Error {
  constructor(
    message: string,
    readonly code?: string | number,
  ) {
    super(message);
  }
}

/** A connection failed that had been used before. */
export class StaleConnectionError extends ConnectionError {}

/** A proxy could not be reached, or did not lead to the receiver. */
export class ProxyError extends ConnectionError {}

/** The code of a `RefusedError` for a web page in the place of an answer. */
export const WEB_PAGE = 'page';

/** A reply that says that spans have not arrived. */
export class RefusedError extends Error {
  /** @param code the status, by which failures are counted */
  constructor(
    message: string,
    readonly code: number | string,
  ) {
    super(message);
  }
}

export function closedError(): ConnectionError {
  return new ConnectionError('the exporter has shut down');
}

export function timeoutError(timeout: number): ConnectionError {
  return new ConnectionError(`no answer within ${Math.round(timeout)} ms`, 'ETIMEDOUT');
}

export function toConnectionError(error: unknown): ConnectionError {
  if (error instanceof ConnectionError) return error;
  // A host name with several addresses fails with an error for each, under one that says nothing.
  const errors = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  const messages = errors.map((one) => (one instanceof Error ? one.message : String(one)));
  return new ConnectionError(messages.join(', '), (error as NodeJS.ErrnoException).code);
}
