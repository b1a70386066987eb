import type { ClientRequest as NodeRequest } from 'node:http';
import { portInAgent } from './agent-port.js';

/** The server that a request is really sent to, whatever its headers say. */
export interface Destination {
  /** Scheme, host and port, such as `http://localhost:8080`. */
  readonly origin: string;
  /** True if the port is unknown, so that `origin` has none. */
  readonly hasUnknownPort: boolean;
  /** The path of the Unix socket, if the request is sent over one. */
  readonly socketPath: string | undefined;
}

interface Agent {
  readonly defaultPort?: number;
  /** These options take precedence over those of a request. */
  readonly options?: { readonly host?: string; readonly port?: number | string; readonly socketPath?: string } | null;
}

/**
 * The destination of a request of `node:http`. It is not read from the Host header: a proxy may pass on the header of its own
 * caller, who can write anything there.
 */
export function requestDestination(request: NodeRequest): Destination {
  const {
    agent,
    host: requestHost,
    protocol,
    socketPath,
  } = request as unknown as NodeRequest & {
    readonly agent?: Agent;
    readonly socketPath?: string;
  };
  const { host: agentHost, port: agentPort, socketPath: agentSocketPath } = agent?.options ?? {};
  const host = agentHost ?? requestHost;
  const urlHost = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  // An empty text stands for the default port of the agent.
  const port =
    agentPort?.toString() ??
    (agentHost === undefined ? portInAuthority(request) : undefined) ??
    portInAgent(request, host) ??
    portInHostHeader(request, urlHost);
  return {
    origin: `${protocol}//${urlHost}${portSuffix(port || agent?.defaultPort, protocol)}`,
    hasUnknownPort: port === undefined,
    socketPath: agentSocketPath ?? socketPath,
  };
}

/** The port as a part of a URL: empty if it is the default port of the scheme. */
function portSuffix(port: string | number | undefined, protocol: string): string {
  return port === undefined || Number(port) === (protocol === 'https:' ? 443 : 80) ? '' : `:${port}`;
}

let authorityKey: symbol | undefined;

/** The port in the authority that newer releases of Node store on a request; empty for the default port. */
function portInAuthority(request: NodeRequest): string | undefined {
  if (!authorityKey || !(authorityKey in request)) {
    authorityKey = Object.getOwnPropertySymbols(request).find(({ description }) => description === 'kAuthority');
    if (!authorityKey) return undefined;
  }
  const authority: unknown = Reflect.get(request, authorityKey);
  return typeof authority === 'string' ? portIn(authority) : undefined;
}

/**
 * The port in the Host header, if Node itself seems to have written the header: with this spelling, and with the host that the
 * request is sent to. It is needed for agents that store no connections.
 */
function portInHostHeader(request: NodeRequest, urlHost: string): string | undefined {
  const header = request.getHeader('host');
  if (typeof header !== 'string' || !request.getRawHeaderNames().includes('Host')) return undefined;
  return header === urlHost || header.startsWith(`${urlHost}:`) ? portIn(header) : undefined;
}

/** The port in `host:port`; empty if there is none. */
function portIn(authority: string): string {
  return /:(\d+)$/.exec(authority.slice(authority.lastIndexOf(']') + 1))?.[1] ?? '';
}
