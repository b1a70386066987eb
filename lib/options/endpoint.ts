import { TracingConfigurationError } from '../tracing.errors.js';
import { text } from './parse.js';
import type { Setting } from './setting.js';

const FIX = 'Use an address that begins with http:// or https://.';

/** An `http:` or `https:` address. */
export function httpUrl(setting: Setting): URL {
  return parsedUrl(text(setting)) ?? refuse(setting, FIX);
}

/**
 * The address of a gRPC server: as over HTTP, or `host:port`.
 *
 * @param isInsecure says whether `host:port` is to be reached without TLS; the scheme of an address goes before it
 */
export function grpcUrl(setting: Setting, isInsecure: () => boolean): URL {
  const written = text(setting);
  if (written.includes('://')) return parsedUrl(written) ?? refuse(setting, FIX);
  const url = parsedUrl(`${isInsecure() ? 'http' : 'https'}://${written}`);
  return url ?? refuse(setting, 'Use an address that begins with http:// or https://, or host:port.');
}

/** Adds a path to a base address, unless the address ends in it already. */
export function withPath(base: URL, path: string): URL {
  const url = new URL(base);
  const start = url.pathname.replace(/\/+$/, '');
  url.pathname = start.endsWith(path) ? start : start + path;
  return url;
}

/** What of an address may be shown: no credentials, and no query, which may hold an API key. */
export function publicText(address: string): string {
  return address.replace(/^.*@/s, 'REDACTED@').replace(/\?.*$/s, '?REDACTED');
}

function parsedUrl(written: string): URL | undefined {
  const url = URL.canParse(written) ? new URL(written) : undefined;
  return url && /^https?:$/.test(url.protocol) && url.hostname ? url : undefined;
}

function refuse(setting: Setting, fix: string): never {
  throw new TracingConfigurationError(setting.name, publicText(text(setting)), fix);
}
