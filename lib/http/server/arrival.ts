import type { TLSSocket } from 'node:tls';
import type { HttpRequest } from '../../options/http.js';

/**
 * What has to be read as soon as a request comes in: routers and middleware write over its method and target, and a
 * connection that is gone no longer says who it was with.
 */
export interface Arrival {
  readonly method: string | undefined;
  /** As it stands on the wire: origin form, absolute form or `*`. */
  readonly target: string;
  readonly encrypted: boolean;
  readonly peerAddress: string | undefined;
  readonly peerPort: number | undefined;
}

export function arrivalOf(request: HttpRequest): Arrival {
  // Requests that came over no connection may lack a socket.
  const socket = request.socket as Partial<TLSSocket> | undefined;
  return {
    method: request.method,
    target: request.url || '/',
    encrypted: socket?.encrypted === true,
    peerAddress: socket?.remoteAddress,
    peerPort: socket?.remotePort,
  };
}
