import type { ClientRequest as NodeRequest, IncomingMessage } from 'node:http';

/** The way in which a request of `node:http` has ended. */
export type NodeRequestEnd = 'complete' | 'cancelled' | { readonly error: unknown };

/**
 * Returns the way in which a closed request has ended.
 *
 * @param reported the error that the request has reported before, if any
 */
export function nodeRequestEnd(
  request: NodeRequest,
  response: IncomingMessage | undefined,
  reported: { readonly error: unknown } | undefined,
): NodeRequestEnd {
  if (response?.complete) return 'complete';
  if (reported) return isHangUp(reported.error) && !isClosedByServer(request) ? 'cancelled' : reported;
  if (!response || !isClosedByServer(request)) return 'cancelled';
  return { error: response.errored };
}

/** True for the error that Node reports both if the server closes the connection and if the application destroys the request. */
function isHangUp(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ECONNRESET' && message === 'socket hang up';
}

function isClosedByServer({ socket }: NodeRequest): boolean {
  // A request that was destroyed early may have no socket.
  const { readableEnded, errored } = (socket as NodeRequest['socket'] | null | undefined) ?? {};
  return readableEnded === true || Boolean(errored);
}
