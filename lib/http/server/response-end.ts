import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { HttpRequest, HttpResponse } from '../../options/http.js';
import { watchSocket } from './socket-watch.js';

/** The end of a response. */
export type ResponseEnd = 'complete' | ResponseAbort;

/** The end of a response whose connection or stream closed before all of it was written. */
export interface ResponseAbort {
  /** False if the application itself has aborted the response, because it could not stream the rest, say. */
  readonly hasClientDisconnected: boolean;
  /** The error with which the application has destroyed the response. */
  readonly error: Error | undefined;
}

/** Returns the end of a response that has emitted an event. */
export function readResponseEnd(event: 'finish' | 'close', request: HttpRequest, response: HttpResponse): ResponseEnd {
  // Over HTTP/2, 'finish' is emitted even if the client has reset the stream.
  if (isHttp2(request)) return readStreamEnd(request);
  return event === 'finish' || response.writableFinished ? 'complete' : readAbort(request, response);
}

/**
 * Calls `onClose` when the connection of a request closes, until the returned function is called. A pipelined response whose client
 * disconnects emits no event itself. Undefined if the request has no such connection.
 */
export function watchConnection(request: HttpRequest, onClose: () => void): (() => void) | undefined {
  if (isHttp2(request)) return undefined;
  // A request that an adapter for serverless hosts has created may have a value of any shape here.
  const { socket } = request as { socket?: Partial<IncomingMessage['socket']> | undefined };
  return typeof socket?.once === 'function' ? watchSocket(request.socket, onClose) : undefined;
}

function readStreamEnd({ stream }: Http2ServerRequest): ResponseEnd {
  if (!stream.aborted) return 'complete';
  return { hasClientDisconnected: !stream.errored && stream.rstCode !== 0, error: stream.errored ?? undefined };
}

/** Returns the end of a response whose connection has closed. */
function readAbort(request: HttpRequest, response: HttpResponse): ResponseAbort {
  const { socket } = request as IncomingMessage;
  const { errored } = response as ServerResponse;
  const hasClientDisconnected = socket?.readableEnded || isConnectionError(socket?.errored);
  return { hasClientDisconnected, error: hasClientDisconnected ? undefined : (errored ?? undefined) };
}

function isConnectionError(error: NodeJS.ErrnoException | null | undefined): boolean {
  // A cancelled write means that the application has closed the connection while it was writing.
  return (error?.syscall === 'read' || error?.syscall === 'write') && error.code !== 'ECANCELED';
}

function isHttp2(request: HttpRequest): request is Http2ServerRequest {
  return 'stream' in request && request.httpVersionMajor === 2;
}
