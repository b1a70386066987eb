import { cutText } from '../../core/cut-text.js';
import { MAX_URL, redactPath, redactQuery } from '../redact-query.js';

/** The URL of a request, from its origin and the target in its request line. For a proxy, the target is the whole URL. */
export function requestUrl(origin: string, target: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(target)) return target;
  return target.startsWith('/') ? origin + target : `${origin}/${target}`;
}

/**
 * Redacts credentials and the values of secret parameters in a URL. The fragment is removed, and the URL is cut to the length
 * of an attribute.
 */
export function redactUrl(url: string, isSecret: (parameter: string) => boolean): string {
  const [withoutFragment = ''] = url.slice(0, 2 * MAX_URL).split('#', 1);
  const redacted = withoutFragment.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?]*@/i, '$1REDACTED:REDACTED@');
  const queryStart = redacted.indexOf('?');
  if (queryStart === -1) return redactPath(redacted, isSecret);
  const path = redactPath(redacted.slice(0, queryStart), isSecret);
  return cutText(`${path}?${redactQuery(redacted.slice(queryStart + 1), isSecret)}`, MAX_URL);
}

/** Parses a URL. Undefined if it is malformed. */
export function parseUrl(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}
