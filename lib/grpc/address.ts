import type { Attributes } from '@opentelemetry/api';
import { ATTR_SERVER_ADDRESS, ATTR_SERVER_PORT } from '@opentelemetry/semantic-conventions';
import { parseAuthority } from '../core/authority.js';
import { definedAttributes } from '../core/defined-attributes.js';

export interface Address {
  readonly address: string;
  readonly port?: number | undefined;
}

/** Returns `server.address` and `server.port` for the target of a channel, an authority, or the address of a peer. */
export function serverAddress(target: string): Attributes {
  const found = parseAddress(target);
  return definedAttributes({ [ATTR_SERVER_ADDRESS]: found?.address, [ATTR_SERVER_PORT]: found?.port });
}

/** The addresses that were parsed last: a process calls few servers, and serves many calls of the same client in succession. */
const parsedAddresses = new Map<string, Address | undefined>();
const MAX_PARSED_ADDRESSES = 64;

/** Parses a name in gRPC's syntax: `host:50051`, `dns:///host:50051`, `ipv6:[::1]:50051`, `unix:/path`. */
export function parseAddress(target: string): Address | undefined {
  if (parsedAddresses.has(target)) return parsedAddresses.get(target);
  if (parsedAddresses.size >= MAX_PARSED_ADDRESSES) parsedAddresses.clear();
  const address = parse(target);
  parsedAddresses.set(target, address);
  return address;
}

function parse(target: string): Address | undefined {
  if (target === 'unknown') return undefined; // The peer is not connected.
  const unix = /^unix(?:-abstract)?:(?:\/\/(?=\/))?(.+)$/.exec(target)?.[1];
  if (unix !== undefined) return { address: unix };
  const endpoint = target
    .replace(/^[a-z][a-z0-9+.-]*:(?:\/\/[^/]*\/)/i, '')
    .replace(/^(?:dns|ipv4|ipv6|passthrough):/i, '');
  const { host, port } = parseAuthority(endpoint);
  return host === undefined ? parseBareIpv6(endpoint) : { address: host, port };
}

// The IPv6 address of a peer has no brackets. The part after the last colon is then the port.
function parseBareIpv6(endpoint: string): Address | undefined {
  const [, address, port] = /^([0-9a-f:.]*:[0-9a-f:.]*):(\d{1,5})$/i.exec(endpoint) ?? [];
  return address === undefined ? undefined : { address, port: Number(port) };
}
