import { TracingConfigurationError } from '../tracing.errors.js';
import { parseText } from './parse.js';
import type { Setting } from './setting.js';

const FIX = 'Use an address that begins with http:// or https://.';

/** Parses an `http:` or `https:` address. */
export function parseHttpUrl(setting: Setting): URL {
  return toUrl(parseText(setting)) ?? refuse(setting, FIX);
}

/**
 * Parses the address of a gRPC server: an `http:` or `https:` address, or `host:port`.
 *
 * @param isInsecure true if the connection to `host:port` does not use TLS; not called if the address has a scheme
 */
export function parseGrpcUrl(setting: Setting, isInsecure: () => boolean): URL {
  const address = parseText(setting);
  if (address.includes('://')) return toUrl(address) ?? refuse(setting, FIX);
  const url = toUrl(`${isInsecure() ? 'http' : 'https'}://${address}`);
  return url ?? refuse(setting, 'Use an address that begins with http:// or https://, or host:port.');
}

/** Adds a path to a base address, unless the address ends with that path. */
export function addPath(base: URL, path: string): URL {
  const url = new URL(base);
  const start = url.pathname.replace(/\/+$/, '');
  url.pathname = start.endsWith(path) ? start : start + path;
  return url;
}

/** Removes the path at the end of an address, if it is there. */
export function withoutPath(address: URL, path: string): URL {
  const url = new URL(address);
  const start = url.pathname.replace(/\/+$/, '');
  if (start.endsWith(path)) url.pathname = start.slice(0, -path.length);
  return url;
}

/** Returns an address without credentials and without its query, which may contain an API key. */
export function redactAddress(address: string): string {
  return address.replace(/^.*@/s, 'REDACTED@').replace(/\?.*$/s, '?REDACTED');
}

function toUrl(address: string): URL | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url && /^https?:$/.test(url.protocol) && url.hostname ? url : undefined;
}

function refuse(setting: Setting, fix: string): never {
  throw new TracingConfigurationError(setting.name, redactAddress(parseText(setting)), fix);
}
