import type { TLSSocket } from 'node:tls';
import type { HttpRequest } from '../../options/http.js';

/**
 * The values that have to be read when a request arrives: routers and middleware overwrite its method and target, and a closed connection
 * no longer has the address of its peer.
 */
export interface RequestSnapshot {
  readonly method: string | undefined;
  /** The request target as it was sent: origin form, absolute form or `*`. */
  readonly target: string;
  readonly encrypted: boolean;
  readonly peerAddress: string | undefined;
  readonly peerPort: number | undefined;
}

/** Reads the values from a request. */
export function takeSnapshot(request: HttpRequest): RequestSnapshot {
  // A request that an adapter for serverless hosts has created may have no socket.
  const socket = request.socket as Partial<TLSSocket> | undefined;
  return {
    method: request.method,
    target: request.url || '/',
    encrypted: socket?.encrypted === true,
    peerAddress: socket?.remoteAddress,
    peerPort: socket?.remotePort,
  };
}
