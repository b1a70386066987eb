import type { ClientRequest as NodeRequest } from 'node:http';
import type { Socket } from 'node:net';

/** The connections of a Node agent, by names such as `localhost:8080:`. */
interface AgentConnections {
  readonly sockets?: Readonly<Record<string, readonly AgentSocket[] | undefined>>;
  readonly requests?: Readonly<Record<string, readonly NodeRequest[] | undefined>>;
}

type AgentSocket = Socket & {
  /** The request that uses the socket. Most releases of Node set it only in the next tick. */
  readonly _httpMessage?: NodeRequest | null;
};

/** Sockets that were assigned to a request in the current tick. */
const assignedSockets = new Set<AgentSocket>();

/**
 * The port that a request of `node:http` is sent to. The request itself does not store it, but its agent stores it with the
 * connections. Undefined if the agent stores no connections, or if it is not clear which one the request uses.
 */
export function portInAgent(request: NodeRequest, host: string): string | undefined {
  const { requests = {}, sockets = {} } = (request as { agent?: AgentConnections }).agent ?? {};
  const prefix = `${host}:`;
  for (const name in requests) {
    if (name.startsWith(prefix) && requests[name]?.includes(request)) return portInName(name, prefix);
  }
  const candidates = new Map<string, AgentSocket>();
  const socket = (request as { socket?: Socket | null }).socket;
  for (const name in sockets) {
    if (!name.startsWith(prefix)) continue;
    const list = sockets[name] ?? [];
    if (socket ? list.includes(socket) : requestOf(list.at(-1)) === request) return portInName(name, prefix);
    const idle = lastIdleSocket(list);
    if (idle) candidates.set(portInName(name, prefix), idle);
  }
  const [candidate] = candidates;
  if (socket || !candidate || candidates.size > 1) return undefined;
  const [port, idleSocket] = candidate;
  markAssigned(idleSocket);
  return port;
}

/** The socket that the agent has chosen for a request in this tick: it moves such sockets to the end of the list. */
function lastIdleSocket(list: readonly AgentSocket[]): AgentSocket | undefined {
  for (let i = list.length - 1; i >= 0; i--) {
    const socket = list[i];
    if (!socket || requestOf(socket)) return undefined;
    if (!assignedSockets.has(socket)) return socket;
  }
  return undefined;
}

function requestOf(socket: AgentSocket | undefined): NodeRequest | undefined {
  const { _httpMessage: request } = socket ?? {};
  return request ?? undefined;
}

function portInName(name: string, prefix: string): string {
  return /^\d*/.exec(name.slice(prefix.length))?.[0] ?? '';
}

function markAssigned(socket: AgentSocket): void {
  // In the next tick, the sockets themselves tell which request uses them.
  if (assignedSockets.size === 0) process.nextTick(() => assignedSockets.clear());
  assignedSockets.add(socket);
}
