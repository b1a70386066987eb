import { warn } from '../core/diagnostics.js';
import { urlPort } from './url-port.js';

/** Addresses of this machine, which no proxy can reach. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

/**
 * Returns the URL of the proxy for a receiver, by the variables that curl, Go and most tools read: `HTTPS_PROXY` or `HTTP_PROXY` by
 * the scheme of the receiver, and `NO_PROXY`, a list of hosts with everything below them. Lower case goes first. Undefined if the
 * receiver is reached directly, as this machine always is.
 */
export function resolveProxy(receiver: URL, env: NodeJS.ProcessEnv): string | undefined {
  const scheme = receiver.protocol === 'https:' ? 'https' : 'http';
  const name = [`${scheme}_proxy`, `${scheme.toUpperCase()}_PROXY`].find((variable) => env[variable]?.trim());
  const value = name && env[name]?.trim();
  if (!value || LOOPBACK.test(receiver.hostname) || isExempt(receiver, env.no_proxy ?? env.NO_PROXY ?? '')) {
    return undefined;
  }
  const address = value.includes('://') ? value : `http://${value}`;
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)) return address;
  warn(`variable:${name}`, `The variable ${name} is ignored, because it is no address of an HTTP proxy.`);
  return undefined;
}

function isExempt(receiver: URL, list: string): boolean {
  const host = receiver.hostname.toLowerCase();
  const port = String(urlPort(receiver));
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = '', portOnly] = /^(?:\*?\.)?(.+?)(?::(\d+))?$/.exec(entry) ?? [];
      if (name === '' || (portOnly !== undefined && portOnly !== port)) return false;
      return host === name || host === `[${name}]` || host.endsWith(`.${name}`);
    });
}
