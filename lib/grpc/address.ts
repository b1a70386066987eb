import type { Attributes } from '@opentelemetry/api';
import { ATTR_SERVER_ADDRESS, ATTR_SERVER_PORT } from '@opentelemetry/semantic-conventions';
import { parseAuthority } from '../core/authority.js';
import { definedAttributes } from '../core/defined-attributes.js';

export interface Address {
  readonly address: string;
  readonly port?: number | undefined;
}

/** `server.address` and `server.port` of a channel's target, an authority, or a peer's address. */
export function serverAddress(target: string): Attributes {
  const found = parseAddress(target);
  return definedAttributes({ [ATTR_SERVER_ADDRESS]: found?.address, [ATTR_SERVER_PORT]: found?.port });
}

/** What was parsed last: a process talks to few servers, and serves many calls of one client one after the other. */
const known = new Map<string, Address | undefined>();
const MAX_KNOWN = 64;

/** Host and port of a name as gRPC writes it: `host:50051`, `dns:///host:50051`, `ipv6:[::1]:50051`, `unix:/path`. */
export function parseAddress(target: string): Address | undefined {
  if (known.has(target)) return known.get(target);
  if (known.size >= MAX_KNOWN) known.clear();
  const address = parse(target);
  known.set(target, address);
  return address;
}

function parse(target: string): Address | undefined {
  if (target === 'unknown') return undefined; // A peer that is not connected.
  const unix = /^unix(?:-abstract)?:(?:\/\/(?=\/))?(.+)$/.exec(target)?.[1];
  if (unix !== undefined) return { address: unix };
  const endpoint = target
    .replace(/^[a-z][a-z0-9+.-]*:(?:\/\/[^/]*\/)/i, '')
    .replace(/^(?:dns|ipv4|ipv6|passthrough):/i, '');
  const { host, port } = parseAuthority(endpoint);
  return host === undefined ? parseBareIpv6(endpoint) : { address: host, port };
}

// A peer's IPv6 address comes without brackets; then what follows the last colon is the port.
function parseBareIpv6(endpoint: string): Address | undefined {
  const [, address, port] = /^([0-9a-f:.]*:[0-9a-f:.]*):(\d{1,5})$/i.exec(endpoint) ?? [];
  return address === undefined ? undefined : { address, port: Number(port) };
}
