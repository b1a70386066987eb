import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { HttpRequest, HttpResponse } from '../../options/http.js';
import { watchSocket } from './socket-watch.js';

/** How a response came to its end. */
export type ResponseEnd = 'complete' | ResponseAbort;

/** Its connection or stream closed before all of it was written. */
export interface ResponseAbort {
  /** False where the application itself gave up, because it failed to stream the rest, say. */
  readonly clientLeft: boolean;
  /** What the application destroyed the response with. */
  readonly error: Error | undefined;
}

/** How a response has ended that emits this event. */
export function endOf(event: 'finish' | 'close', request: HttpRequest, response: HttpResponse): ResponseEnd {
  // Over HTTP/2 'finish' comes even if the client has reset the stream.
  if (isHttp2(request)) return endOfStream(request);
  return event === 'finish' || response.writableFinished ? 'complete' : abortOf(request, response);
}

/**
 * Calls `closed` when the connection of a request closes, until the returned function is called: a pipelined response whose
 * client goes away emits nothing of its own.
 */
export function watchConnection(request: HttpRequest, closed: () => void): (() => void) | undefined {
  if (isHttp2(request)) return undefined;
  // A request that came over no connection, one that an adapter for serverless hosts has made say, may have anything here.
  const { socket } = request as { socket?: Partial<IncomingMessage['socket']> | undefined };
  return typeof socket?.once === 'function' ? watchSocket(request.socket, closed) : undefined;
}

function endOfStream({ stream }: Http2ServerRequest): ResponseEnd {
  if (!stream.aborted) return 'complete';
  return { clientLeft: !stream.errored && stream.rstCode !== 0, error: stream.errored ?? undefined };
}

/** How a response has ended whose connection has closed. */
function abortOf(request: HttpRequest, response: HttpResponse): ResponseAbort {
  const { socket } = request as IncomingMessage;
  const { errored } = response as ServerResponse;
  const clientLeft = socket?.readableEnded || isConnectionError(socket?.errored);
  return { clientLeft, error: clientLeft ? undefined : (errored ?? undefined) };
}

function isConnectionError(error: NodeJS.ErrnoException | null | undefined): boolean {
  // A write that is cancelled was under way when the application closed the connection.
  return (error?.syscall === 'read' || error?.syscall === 'write') && error.code !== 'ECANCELED';
}

function isHttp2(request: HttpRequest): request is Http2ServerRequest {
  return 'stream' in request && request.httpVersionMajor === 2;
}
