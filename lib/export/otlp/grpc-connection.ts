import { connect, type ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { TlsFiles, TlsFilesReader } from '../tls-files.js';
import { ConnectionWatch } from './connection-watch.js';
import { lookupShared } from './lookup.js';
import { openTunnel, secureSocket } from './proxy.js';
import { closedError } from './sender.js';

export interface GrpcConnectionOptions {
  /** The origin of the receiver. */
  readonly url: URL;
  /** The URL of a proxy; undefined if the receiver is reached directly. */
  readonly proxy: URL | undefined;
  /** Returns the certificates for a new connection. Undefined if there are none. */
  readonly tls: TlsFilesReader | undefined;
}

/** A session of HTTP/2 that is watched while calls are under way. */
export interface GrpcSession {
  readonly http2: ClientHttp2Session;
  readonly watch: ConnectionWatch;
}

/** The connection to a receiver of gRPC: one session of HTTP/2, which is replaced when it fails or the receiver says that it goes away. */
export class GrpcConnection {
  /** The session for the next calls. */
  private current: GrpcSession | undefined;
  /** The session that comes about, if there is none yet. */
  private connecting: Promise<GrpcSession> | undefined;
  /** All open sessions: a receiver that goes away may still answer earlier calls. */
  private readonly sessions = new Set<ClientHttp2Session>();
  private tunnel: Socket | undefined;
  private isClosed = false;

  constructor(private readonly options: GrpcConnectionOptions) {}

  /** @throws if the connection is closed, or a proxy opens no tunnel */
  async session(): Promise<GrpcSession> {
    if (this.isClosed) throw closedError();
    const { current } = this;
    if (current && isUsable(current)) return current;
    this.connecting ??= this.connect();
    try {
      this.current = await this.connecting;
    } finally {
      this.connecting = undefined;
    }
    if (this.isClosed) {
      this.current.http2.destroy();
      throw closedError();
    }
    // Calls on the earlier one may still be answered.
    if (current && current !== this.current) current.watch.closeWhenIdle();
    return this.current;
  }

  /** Lets the next call have a new session: by a load balancer, or by an address that the name has now, it may lead to another receiver. */
  renew({ http2, watch }: GrpcSession): void {
    if (this.current?.http2 === http2) this.current = undefined;
    watch.closeWhenIdle();
  }

  /** Destroys the sessions, and allows no more. */
  close(): void {
    this.isClosed = true;
    for (const session of this.sessions) session.destroy(closedError());
    this.tunnel?.destroy();
  }

  private async connect(): Promise<GrpcSession> {
    const { proxy, tls: readFiles, url } = this.options;
    const tls = await readFiles?.();
    const socket = proxy && (await openTunnel(proxy, url, this.track));
    const tunnel = socket && { createConnection: () => overTunnel(socket, url, tls) };
    const http2 = connect(url, { lookup: lookupShared, ...tls, ...tunnel });
    const forget = () => {
      if (this.current?.http2 === http2) this.current = undefined;
    };
    this.sessions.add(http2);
    // Each call listens to the session. Node would warn the application of a leak.
    http2.setMaxListeners(0);
    // The calls of the session report the error.
    http2.on('error', forget);
    http2.on('close', forget);
    http2.on('close', () => this.sessions.delete(http2));
    http2.on('goaway', forget);
    return { http2, watch: new ConnectionWatch(http2) };
  }

  private readonly track = (tunnel: Socket): void => {
    this.tunnel = tunnel;
    if (this.isClosed) tunnel.destroy();
  };
}

/**
 * True if the next call may use a session. One whose receiver replies to pings but leaves calls without an answer is not used for more: the
 * receiver may be stuck, or a proxy may hold the connection for it, while another connection leads to one that answers.
 */
function isUsable({ http2, watch }: GrpcSession): boolean {
  return !http2.closed && !http2.destroyed && !watch.isSilent;
}

function overTunnel(socket: Socket, url: URL, tls: TlsFiles | undefined): Socket {
  return url.protocol === 'https:' ? secureSocket(socket, url, { ...tls, ALPNProtocols: ['h2'] }) : socket;
}
