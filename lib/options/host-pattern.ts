import { TracingConfigurationError } from '../tracing.errors.js';
import { compileRegExp } from './pattern.js';
import { urlPort } from './url-port.js';

/**
 * A host: its name (`api.example.com`), its name and port (`localhost:9000`), all its subdomains (`*.example.com`), or a regular
 * expression of `host:port`.
 */
export type HostPattern = string | RegExp;

/** A host name or address, after `*.` for all its subdomains, and with an optional port. */
const HOST = /^(\*\.)?(\[[0-9a-f:.]+\]|[^\s:/?#@*[\]]+)(:\d{1,5})?$/i;

/** Compiles a host pattern to a predicate over URLs. */
export function compileHostPattern(option: string, pattern: unknown): (url: URL) => boolean {
  if (pattern instanceof RegExp) {
    const matches = compileRegExp(pattern);
    return (url) => matches(`${url.hostname}:${portOf(url)}`);
  }
  const [, wildcard, name = '', port] = (typeof pattern === 'string' && HOST.exec(pattern.trim())) || [];
  // The URL normalizes the host for the comparison: lower case, ASCII, and the shortest form of an address.
  const host = URL.canParse(`http://${name}`) ? new URL(`http://${name}`).hostname : undefined;
  if (host === undefined) {
    const fix =
      'Write a host, such as api.example.com, localhost:9000 or *.example.com, without a scheme or a path, or a regular expression.';
    throw new TracingConfigurationError(option, pattern, fix);
  }
  return (url) => {
    if (port !== undefined && port !== `:${portOf(url)}`) return false;
    return wildcard === undefined ? url.hostname === host : url.hostname.endsWith(`.${host}`);
  };
}

function portOf(url: URL): string {
  return String(urlPort(url) ?? '');
}
