import { TracingConfigurationError } from '../tracing.errors.js';
import { text } from './parse.js';
import type { Setting } from './setting.js';

/** An `http:` or `https:` address. */
export function httpUrl(setting: Setting): URL {
  const written = text(setting);
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.hostname) return url;
  const shown = written.replace(/[^/@]*@/, 'REDACTED@');
  throw new TracingConfigurationError(setting.name, shown, 'Use an address that begins with http:// or https://.');
}

/** The address of a gRPC server: as over HTTP, or `host:port`, which is taken to be without TLS. */
export function grpcUrl(setting: Setting): URL {
  const written = text(setting);
  return written.includes('://') ? httpUrl(setting) : httpUrl({ name: setting.name, value: `http://${written}` });
}

/** Adds a path to a base address, unless the address ends in it already. */
export function withPath(base: URL, path: string): URL {
  const url = new URL(base);
  const start = url.pathname.replace(/\/+$/, '');
  url.pathname = start.endsWith(path) ? start : start + path;
  return url;
}
