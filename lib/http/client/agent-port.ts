import type { ClientRequest as NodeRequest } from 'node:http';
import type { Socket } from 'node:net';

/** What an agent of Node keeps of its connections, by names such as `localhost:8080:`. */
interface Books {
  readonly sockets?: Readonly<Record<string, readonly BookedSocket[] | undefined>>;
  readonly requests?: Readonly<Record<string, readonly NodeRequest[] | undefined>>;
}

type BookedSocket = Socket & {
  /** The request that a socket works for. Most releases of Node set it only in the next tick. */
  readonly _httpMessage?: NodeRequest | null;
};

/** Sockets of the current tick that were found to be those of another request. */
const taken = new Set<BookedSocket>();

/**
 * The port that a request of `node:http` goes to, as the books of its agent have it: a request does not keep it. Undefined
 * where the agent keeps none, or where its books do not tell which connection is that of the request.
 */
export function portInAgent(request: NodeRequest, host: string): string | undefined {
  const { requests = {}, sockets = {} } = (request as { agent?: Books }).agent ?? {};
  const prefix = `${host}:`;
  for (const name in requests) {
    if (name.startsWith(prefix) && requests[name]?.includes(request)) return portOf(name, prefix);
  }
  const found = new Map<string, BookedSocket>();
  const socket = (request as { socket?: Socket | null }).socket;
  for (const name in sockets) {
    if (!name.startsWith(prefix)) continue;
    const list = sockets[name] ?? [];
    if (socket ? list.includes(socket) : worksFor(list.at(-1)) === request) return portOf(name, prefix);
    const idle = lastIdle(list);
    if (idle) found.set(portOf(name, prefix), idle);
  }
  const [only] = found;
  if (socket || !only || found.size > 1) return undefined;
  take(only[1]);
  return only[0];
}

/** The agent puts connections that it has just chosen last. */
function lastIdle(list: readonly BookedSocket[]): BookedSocket | undefined {
  for (let i = list.length - 1; i >= 0; i--) {
    const socket = list[i];
    if (!socket || worksFor(socket)) return undefined;
    if (!taken.has(socket)) return socket;
  }
  return undefined;
}

function worksFor(socket: BookedSocket | undefined): NodeRequest | undefined {
  const { _httpMessage: request } = socket ?? {};
  return request ?? undefined;
}

function portOf(name: string, prefix: string): string {
  return /^\d*/.exec(name.slice(prefix.length))?.[0] ?? '';
}

function take(socket: BookedSocket): void {
  // By then the socket says itself which request it works for.
  if (taken.size === 0) process.nextTick(() => taken.clear());
  taken.add(socket);
}
