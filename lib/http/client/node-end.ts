import type { ClientRequest as NodeRequest, IncomingMessage } from 'node:http';

/** How a request of `node:http` came to its end. */
export type NodeEnd = 'complete' | 'cancelled' | { readonly error: unknown };

/** What a request tells when it has closed, with the error that it reported before, if it did. */
export function endOfRequest(
  request: NodeRequest,
  response: IncomingMessage | undefined,
  reported: { readonly error: unknown } | undefined,
): NodeEnd {
  if (response?.complete) return 'complete';
  if (reported) return isHangUp(reported.error) && !otherSideClosed(request) ? 'cancelled' : reported;
  if (!response || !otherSideClosed(request)) return 'cancelled';
  return { error: response.errored };
}

/** Node says the same whether the server closed the connection or the caller destroyed the request. */
function isHangUp(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ECONNRESET' && message === 'socket hang up';
}

function otherSideClosed({ socket }: NodeRequest): boolean {
  // A request may be destroyed before it gets a socket.
  const { readableEnded, errored } = (socket as NodeRequest['socket'] | null | undefined) ?? {};
  return readableEnded === true || Boolean(errored);
}
