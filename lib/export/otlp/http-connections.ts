import http, { type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectTls, TLSSocket, type ConnectionOptions } from 'node:tls';
import { markUntraced } from '../../core/suppression.js';
import type { TlsFilesReader } from '../tls-files.js';
import { collectAnswer, limitPreliminary } from './answer.js';
import { lookupShared } from './lookup.js';
import { CONNECT_TIMEOUT, openTunnel, proxyAuthorization, secureSocket } from './proxy.js';
import { closedError, ConnectionError, StaleConnectionError, timeoutError, toConnectionError } from './sender.js';

/** The time of a request without an answer after which no idle connection is used again, in milliseconds: they may be mute as well. */
const SILENCE = 2000;
/** The time after which an idle connection is closed, in milliseconds: firewalls forget it without a word. */
const MAX_IDLE = 30_000;

type Connected = (error: Error | null, socket?: TLSSocket) => void;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** True if the whole request has left. */
  readonly hasLeft: boolean;
}

export interface HttpConnectionOptions {
  readonly url: URL;
  /** The URL of a proxy; undefined if the receiver is reached directly. */
  readonly proxy: URL | undefined;
  /** Returns the certificates for a new connection. Undefined if there are none. */
  readonly tls: TlsFilesReader | undefined;
}

/** Posts messages to one receiver over HTTP/1.1, on connections that are kept open. None of its requests is traced. */
export class HttpConnections {
  private readonly agent: http.Agent;
  private readonly sockets = new Set<Socket>();
  private readonly inFlight = new Set<http.ClientRequest>();
  private isClosed = false;

  constructor(private readonly options: HttpConnectionOptions) {
    this.agent = this.createAgent();
    markUntraced(this.agent);
  }

  /** True if no request is on the wire. */
  get isIdle(): boolean {
    return this.inFlight.size === 0;
  }

  /**
   * Posts a body.
   *
   * @param timeout time until the whole answer has come, in milliseconds: then the connection is destroyed, so that a receiver which
   *   never answers, or never stops answering, holds neither a socket nor a place
   * @throws ConnectionError
   */
  async post(body: Buffer, headers: http.OutgoingHttpHeaders, timeout: number): Promise<Answer> {
    const deadline = performance.now() + timeout;
    try {
      return await this.attempt(body, headers, timeout);
    } catch (error) {
      if (!(error instanceof StaleConnectionError)) throw error;
      // The receiver has closed an idle connection just now: a new one has to be tried at once, also when the application closes.
      return this.attempt(body, headers, Math.max(0, deadline - performance.now()));
    }
  }

  private async attempt(body: Buffer, headers: http.OutgoingHttpHeaders, timeout: number): Promise<Answer> {
    if (this.isClosed) throw closedError();
    const request = this.request({ ...headers, 'content-length': body.length });
    this.inFlight.add(request);
    const isConnecting = watchConnecting(request);
    const end = (after: number) => request.destroy(isConnecting() ? noConnectionError(after) : timeoutError(after));
    const check = () => isConnecting() && end(CONNECT_TIMEOUT);
    const timers = [
      setTimeout(end, timeout, timeout).unref(),
      setTimeout(() => this.closeIdle(), SILENCE).unref(),
      // If the event loop was blocked, the connection may be there, and the event of it waits.
      setTimeout(() => setImmediate(check), CONNECT_TIMEOUT).unref(),
    ];
    try {
      return await exchange(request, body);
    } catch (error) {
      const failure = toConnectionError(error);
      const isStale = request.reusedSocket && (failure.code === 'ECONNRESET' || failure.code === 'EPIPE');
      throw isStale && !this.isClosed ? new StaleConnectionError(failure.message, failure.code) : failure;
    } finally {
      for (const timer of timers) clearTimeout(timer);
      this.inFlight.delete(request);
    }
  }

  /** Destroys every connection, and allows no more. */
  close(): void {
    this.isClosed = true;
    for (const request of this.inFlight) request.destroy(closedError());
    for (const socket of this.sockets) socket.destroy();
    this.agent.destroy();
  }

  /** Closes the connections that are not in use, so that the next message gets a new one. */
  closeIdle(): void {
    for (const sockets of Object.values(this.agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  private request(headers: http.OutgoingHttpHeaders): http.ClientRequest {
    const { proxy, url } = this.options;
    const options: RequestOptions = { method: 'POST', agent: this.agent, headers, lookup: lookupShared };
    if (url.protocol === 'https:') return https.request(url, options);
    if (!proxy) return http.request(url, options);
    // A proxy is sent the whole URL.
    const authorization = proxyAuthorization(proxy);
    return http.request(proxy, {
      ...options,
      path: url.href,
      headers: { ...headers, host: url.host, ...(authorization && { 'proxy-authorization': authorization }) },
    });
  }

  private createAgent(): http.Agent {
    const { proxy, tls, url } = this.options;
    const isSecure = url.protocol === 'https:';
    const agent = new (isSecure ? https : http).Agent({ keepAlive: true, timeout: MAX_IDLE });
    if (isSecure && (proxy || tls)) {
      const createConnection = (options: ConnectionOptions, callback: Connected) =>
        void this.connect(options, callback);
      Object.assign(agent, { createConnection });
    }
    agent.on('free', this.track);
    return agent;
  }

  /** Opens a connection with TLS, for which certificates have to be read, or a proxy has to open a tunnel. */
  private async connect(given: ConnectionOptions, callback: Connected): Promise<void> {
    const { proxy, tls, url } = this.options;
    try {
      const options = { ...given, ...(await tls?.()) };
      const tunnel = proxy && (await openTunnel(proxy, url, this.track));
      const socket = tunnel ? secureSocket(tunnel, url, options) : connectTls(options);
      this.track(socket);
      callback(null, socket);
    } catch (error) {
      callback(error as Error);
    }
  }

  private readonly track = (socket: Socket): void => {
    if (this.isClosed) socket.destroy();
    if (this.sockets.has(socket)) return;
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
  };
}

/** Returns a function that tells whether a request still waits for its connection. */
function watchConnecting(request: http.ClientRequest): () => boolean {
  let isConnecting = true;
  const onConnected = () => (isConnecting = false);
  request.once('socket', (socket) => {
    if (request.reusedSocket) onConnected();
    else socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', onConnected);
  });
  return () => isConnecting;
}

function noConnectionError(after: number): ConnectionError {
  return new ConnectionError(`no connection within ${Math.round(after)} ms`, 'ETIMEDOUT');
}

/** Sends the body, and resolves with the whole answer. */
function exchange(request: http.ClientRequest, message: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on(
      'information',
      limitPreliminary((error) => request.destroy(error)),
    );
    request.on('response', (response: IncomingMessage) => {
      const body = collectAnswer(response, (error) => request.destroy(error));
      response.on('error', reject);
      response.on('aborted', () => reject(new ConnectionError('the answer was cut', 'ECONNRESET')));
      response.on('end', () => {
        const { headers, statusCode = 0 } = response;
        resolve({ status: statusCode, headers, body: body(), hasLeft: request.writableFinished });
      });
    });
    // A receiver that wants to change the protocol ends the request with neither an answer nor an error.
    request.on('close', () => reject(new ConnectionError('the connection was closed without an answer', 'ECONNRESET')));
    request.end(message);
  });
}
