import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { HttpRequest, HttpResponse } from '../../tracing.options.js';
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

/** Calls `ended` when the response is over; maybe again, until the returned function is called. */
export function watchResponse(
  request: HttpRequest,
  response: HttpResponse,
  ended: (end: ResponseEnd) => void,
): () => void {
  if (isHttp2(request)) {
    // 'finish' comes here even if the client has reset the stream.
    response.once('finish', () => ended(endOfStream(request)));
    response.once('close', () => ended(endOfStream(request)));
    return () => {};
  }
  const aborted = () => ended(abortOf(request, response as ServerResponse));
  response.once('finish', () => ended('complete'));
  response.once('close', aborted);
  return request.socket ? watchSocket(request.socket, aborted) : () => {};
}

function endOfStream({ stream }: Http2ServerRequest): ResponseEnd {
  if (!stream.aborted) return 'complete';
  return { clientLeft: !stream.errored && stream.rstCode !== 0, error: stream.errored ?? undefined };
}

function abortOf({ socket }: IncomingMessage, { errored }: ServerResponse): ResponseAbort {
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
