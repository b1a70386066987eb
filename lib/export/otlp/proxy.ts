import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { urlPort } from '../../options/url-port.js';
import { markUntraced } from '../../core/suppression.js';

/** Time that a proxy may take to open a tunnel, in milliseconds. */
const CONNECT_TIMEOUT = 10_000;

type Connected = (error: Error | null, socket?: TLSSocket) => void;

/** The value of `Proxy-Authorization` for the credentials in the URL of a proxy; undefined if it has none. */
export function proxyAuthorization({ password, username }: URL): string | undefined {
  if (!username && !password) return undefined;
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/**
 * Opens a TLS connection to `target` through a tunnel of a proxy.
 *
 * @param options those of the agent for the connection, with the certificates to use
 * @param opened called with every socket, so that it can be destroyed
 */
export function connectThroughProxy(
  proxy: URL,
  target: URL,
  options: object,
  opened: (socket: Socket) => void,
  connected: Connected,
): void {
  const { request } = proxy.protocol === 'https:' ? https : http;
  const authorization = proxyAuthorization(proxy);
  const authority = `${target.hostname}:${urlPort(target)}`;
  const agent = proxy.protocol === 'https:' ? new https.Agent() : new http.Agent();
  markUntraced(agent);
  const tunnel = request({
    host: unbracketed(proxy.hostname),
    port: urlPort(proxy),
    method: 'CONNECT',
    path: authority,
    agent,
    timeout: CONNECT_TIMEOUT,
    headers: { host: authority, ...(authorization && { 'proxy-authorization': authorization }) },
  });
  tunnel.once('socket', opened);
  tunnel.once('timeout', () => tunnel.destroy(new Error('the proxy does not answer')));
  tunnel.once('error', connected);
  tunnel.once('connect', ({ statusCode }, socket) => {
    if (statusCode !== 200) {
      socket.destroy();
      connected(new Error(`the proxy refuses to connect: status ${statusCode}`));
      return;
    }
    const name = unbracketed(target.hostname);
    const secure = connectTls({ ...(options as ConnectionOptions), host: name, servername: serverName(name), socket });
    opened(secure);
    connected(null, secure);
  });
  tunnel.end();
}

/** TLS takes no address as the name of a server. */
function serverName(host: string): string {
  return /^[\d.]+$|:/.test(host) ? '' : host;
}

function unbracketed(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
