import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { urlPort } from '../../options/url-port.js';
import { markUntraced } from '../../core/suppression.js';
import { lookupShared } from './lookup.js';
import { ProxyError, toConnectionError } from './sender.js';

/**
 * Time that it may take to connect, or that a proxy may take to open a tunnel, in milliseconds. Nothing of a message has left by then, so
 * that a new connection can be tried.
 */
export const CONNECT_TIMEOUT = 3500;

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
    lookup: lookupShared,
    headers: { host: authority, ...(authorization && { 'proxy-authorization': authorization }) },
  });
  const timeout = () => request.destroy(new ProxyError('the proxy does not answer', 'ETIMEDOUT'));
  // A proxy may also send its answer byte by byte, without an end.
  const timer = setTimeout(timeout, CONNECT_TIMEOUT).unref();
  return new Promise((resolve, reject) => {
    request.once('socket', opened);
    request.once('error', (error) => {
      const { code, message } = toConnectionError(error);
      reject(error instanceof ProxyError ? error : new ProxyError(`no tunnel by the proxy: ${message}`, code));
    });
    request.once('close', () => clearTimeout(timer));
    request.once('connect', ({ statusCode }, socket: Socket, head: Buffer) => {
      clearTimeout(timer);
      if (statusCode === 200) {
        // The receiver may have spoken first.
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(new ProxyError(`the proxy refuses to connect: status ${statusCode}`, statusCode));
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
