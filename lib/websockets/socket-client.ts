import { isObject } from '../core/is-object.js';

/** A client of a gateway. */
export interface SocketClient {
  readonly protocol: 'socket.io' | 'websocket';
  /** The namespace of Socket.IO, with a slash in front. The client chooses it, if a gateway has a pattern for namespaces. */
  readonly namespace: string | undefined;
  /** The public id of a socket of Socket.IO. */
  readonly id: string | undefined;
}

/** The request with which a client has connected. */
export interface Handshake {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly address: string | undefined;
}

/** The members of a socket of Socket.IO that are read here. A socket of ws has none of them. */
interface SocketIoSocket {
  readonly id?: unknown;
  readonly nsp?: { readonly name?: unknown };
  readonly handshake?: { readonly headers?: unknown; readonly address?: unknown };
}

/** The members of the upgrade request that ws passes on with a socket. */
interface UpgradeRequest {
  readonly headers?: unknown;
  readonly socket?: { readonly remoteAddress?: unknown };
}

/** Reads what a client is, from the object that its adapter has created for it. */
export function readClient(client: unknown): SocketClient {
  const { id, nsp } = (isObject(client) ? client : {}) as SocketIoSocket;
  if (typeof nsp?.name !== 'string') return { protocol: 'websocket', namespace: undefined, id: undefined };
  return { protocol: 'socket.io', namespace: nsp.name, id: textOrUndefined(id) };
}

/** Reads the request with which a client has connected. Undefined if the adapter does not pass it on. */
export function readHandshake(client: unknown, request: unknown): Handshake | undefined {
  const { handshake } = (isObject(client) ? client : {}) as SocketIoSocket;
  if (isObject(handshake?.headers))
    return { headers: recordOf(handshake.headers), address: textOrUndefined(handshake.address) };
  const { headers, socket } = (isObject(request) ? request : {}) as UpgradeRequest;
  return isObject(headers)
    ? { headers: recordOf(headers), address: textOrUndefined(socket?.remoteAddress) }
    : undefined;
}

function recordOf(headers: object): Handshake['headers'] {
  return headers as Handshake['headers'];
}

function textOrUndefined(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
