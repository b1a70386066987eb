import { cutText } from '../../core/cut-text.js';
import { MAX_URL, redactPath, redactQuery } from '../redact-query.js';

/** The URL of a request, of its origin and what stands in its request line: a proxy is sent the whole URL there. */
export function urlOf(origin: string, target: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(target)) return target;
  return target.startsWith('/') ? origin + target : `${origin}/${target}`;
}

/**
 * The URL as it may be seen: without credentials, without the values of secret parameters, and without a fragment; cut like an
 * attribute.
 */
export function redactUrl(url: string, isSecret: (parameter: string) => boolean): string {
  const [sent = ''] = url.slice(0, 2 * MAX_URL).split('#', 1);
  const visible = sent.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?]*@/i, '$1REDACTED:REDACTED@');
  const mark = visible.indexOf('?');
  if (mark === -1) return redactPath(visible, isSecret);
  const path = redactPath(visible.slice(0, mark), isSecret);
  return cutText(`${path}?${redactQuery(visible.slice(mark + 1), isSecret)}`, MAX_URL);
}

/** Parses a URL; undefined where it is none. */
export function parseUrl(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}
