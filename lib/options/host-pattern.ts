import { TracingConfigurationError } from '../tracing.errors.js';
import { regExpMatcher } from './path-pattern.js';
import { urlPort } from './url-port.js';

/** A host by name (`api.example.com`), with its port (`localhost:9000`), all below it (`*.example.com`), or a pattern of `host:port`. */
export type HostPattern = string | RegExp;

/** A host's name or address, with a port or without, also as `*.` for all below it. */
const HOST = /^(\*\.)?(\[[0-9a-f:.]+\]|[^\s:/?#@*[\]]+)(:\d{1,5})?$/i;

/** Makes a predicate over addresses of what the user wrote: a host, all hosts below one, or a pattern of `host:port`. */
export function hostMatcher(option: string, pattern: unknown): (url: URL) => boolean {
  if (pattern instanceof RegExp) {
    const matches = regExpMatcher(pattern);
    return (url) => matches(`${url.hostname}:${portOf(url)}`);
  }
  const [, below, name = '', port] = (typeof pattern === 'string' && HOST.exec(pattern.trim())) || [];
  // As a URL has it: in lower case, in ASCII, and addresses in their shortest form.
  const host = URL.canParse(`http://${name}`) ? new URL(`http://${name}`).hostname : undefined;
  if (host === undefined) {
    const fix =
      'Write a host, such as api.example.com, localhost:9000 or *.example.com, without a scheme or a path, or a regular expression.';
    throw new TracingConfigurationError(option, pattern, fix);
  }
  return (url) => {
    if (port !== undefined && port !== `:${portOf(url)}`) return false;
    return below === undefined ? url.hostname === host : url.hostname.endsWith(`.${host}`);
  };
}

function portOf(url: URL): string {
  return String(urlPort(url) ?? '');
}
