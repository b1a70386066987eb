import type { ClientRequest as NodeRequest } from 'node:http';
import { portInAgent } from './agent-port.js';

/** Where a request is sent to, whatever its headers say. */
export interface Destination {
  /** Scheme, host and port, such as `http://localhost:8080`. */
  readonly origin: string;
  /** True where the port cannot be learnt, so that `origin` lacks it. */
  readonly hasUnknownPort: boolean;
  /** The socket it goes through, where that is a file and not a host. */
  readonly socketPath: string | undefined;
}

interface Agent {
  readonly defaultPort?: number;
  /** These go before the options of a request. */
  readonly options?: { readonly host?: string; readonly port?: number | string; readonly socketPath?: string } | null;
}

/**
 * Where a request of `node:http` is sent to. Its Host header does not decide that: a proxy sends the one of its own caller,
 * who could choose it.
 */
export function destinationOf(request: NodeRequest): Destination {
  const {
    agent,
    host: asked,
    protocol,
    socketPath,
  } = request as unknown as NodeRequest & {
    readonly agent?: Agent;
    readonly socketPath?: string;
  };
  const { host: fixedHost, port: fixedPort, socketPath: fixedPath } = agent?.options ?? {};
  const host = fixedHost ?? asked;
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  // Empty where it is the agent's default one.
  const port =
    fixedPort?.toString() ??
    (fixedHost === undefined ? portInAuthority(request) : undefined) ??
    portInAgent(request, host) ??
    portInHostHeader(request, name);
  return {
    origin: `${protocol}//${name}${written(port || agent?.defaultPort, protocol)}`,
    hasUnknownPort: port === undefined,
    socketPath: fixedPath ?? socketPath,
  };
}

/** The port as URLs have it: not at all where it is that of the scheme. */
function written(port: string | number | undefined, protocol: string): string {
  return port === undefined || Number(port) === (protocol === 'https:' ? 443 : 80) ? '' : `:${port}`;
}

let authorityKey: symbol | undefined;

/** The port in the host and port that newer releases of Node keep on a request; empty for the default one. */
function portInAuthority(request: NodeRequest): string | undefined {
  if (!authorityKey || !(authorityKey in request)) {
    authorityKey = Object.getOwnPropertySymbols(request).find(({ description }) => description === 'kAuthority');
    if (!authorityKey) return undefined;
  }
  const authority: unknown = Reflect.get(request, authorityKey);
  return typeof authority === 'string' ? portIn(authority) : undefined;
}

/**
 * The port in the Host header, where that looks like the one that Node writes: under this spelling, for the host that is
 * connected to. It is for agents that keep no books.
 */
function portInHostHeader(request: NodeRequest, name: string): string | undefined {
  const stated = request.getHeader('host');
  if (typeof stated !== 'string' || !request.getRawHeaderNames().includes('Host')) return undefined;
  return stated === name || stated.startsWith(`${name}:`) ? portIn(stated) : undefined;
}

/** The port in `host:port`; empty where there is none. */
function portIn(authority: string): string {
  return /:(\d+)$/.exec(authority.slice(authority.lastIndexOf(']') + 1))?.[1] ?? '';
}
