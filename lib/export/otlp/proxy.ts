import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { urlPort } from '../../options/url-port.js';
import { markUntraced } from '../../core/suppression.js';

/** Time that a proxy may take to open a tunnel, in milliseconds. */
const CONNECT_TIMEOUT = 10_000;

/** The value of `Proxy-Authorization` for the credentials in the URL of a proxy; undefined if it has none. */
export function proxyAuthorization({ password, username }: URL): string | undefined {
  if (!username && !password) return undefined;
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/**
 * Opens a tunnel of a proxy to a receiver.
 *
 * @param opened called with the socket as soon as there is one, so that it can be destroyed
 */
export function openTunnel(proxy: URL, receiver: URL, opened: (socket: Socket) => void): Promise<Socket> {
  const isSecure = proxy.protocol === 'https:';
  const agent = isSecure ? new https.Agent() : new http.Agent();
  markUntraced(agent);
  const authorization = proxyAuthorization(proxy);
  const authority = `${receiver.hostname}:${urlPort(receiver)}`;
  const request = (isSecure ? https : http).request({
    host: unbracketed(proxy.hostname),
    port: urlPort(proxy),
    method: 'CONNECT',
    path: authority,
    agent,
    timeout: CONNECT_TIMEOUT,
    headers: { host: authority, ...(authorization && { 'proxy-authorization': authorization }) },
  });
  return new Promise((resolve, reject) => {
    request.once('socket', opened);
    request.once('timeout', () => request.destroy(new Error('the proxy does not answer')));
    request.once('error', reject);
    request.once('connect', ({ statusCode }, socket: Socket, head: Buffer) => {
      if (statusCode === 200) {
        // The receiver may have spoken first.
        if (head.length > 0) socket.unshift(head);
        resolve(socket.setTimeout(0));
        return;
      }
      socket.destroy();
      reject(new Error(`the proxy refuses to connect: status ${statusCode}`));
    });
    request.end();
  });
}

/** Starts TLS with a receiver over a connection that is open already. */
export function secureSocket(socket: Socket, receiver: URL, options: ConnectionOptions): TLSSocket {
  const host = unbracketed(receiver.hostname);
  return connectTls({ ...options, host, servername: serverName(host), socket });
}

/** TLS takes no address as the name of a server. */
function serverName(host: string): string {
  return /^[\d.]+$|:/.test(host) ? '' : host;
}

function unbracketed(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
