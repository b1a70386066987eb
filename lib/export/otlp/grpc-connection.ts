import { connect, type ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { TlsFiles } from '../tls-files.js';
import { ConnectionWatch } from './connection-watch.js';
import { openTunnel, secureSocket } from './proxy.js';
import { closedError } from './sender.js';

export interface GrpcConnectionOptions {
  /** The origin of the receiver. */
  readonly url: URL;
  /** The URL of a proxy; undefined if the receiver is reached directly. */
  readonly proxy: URL | undefined;
  readonly tls: TlsFiles;
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
    if (current && !current.http2.closed && !current.http2.destroyed) return current;
    this.connecting ??= this.connect();
    try {
      this.current = await this.connecting;
    } finally {
      this.connecting = undefined;
    }
    if (!this.isClosed) return this.current;
    this.current.http2.destroy();
    throw closedError();
  }

  /** Destroys the sessions, and allows no more. */
  close(): void {
    this.isClosed = true;
    for (const session of this.sessions) session.destroy(closedError());
    this.tunnel?.destroy();
  }

  private async connect(): Promise<GrpcSession> {
    const { proxy, tls, url } = this.options;
    const socket = proxy && (await openTunnel(proxy, url, this.track));
    const http2 = connect(url, { ...tls, ...(socket && { createConnection: () => this.overTunnel(socket) }) });
    const forget = () => {
      if (this.current?.http2 === http2) this.current = undefined;
    };
    this.sessions.add(http2);
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

  private overTunnel(socket: Socket): Socket {
    const { tls, url } = this.options;
    return url.protocol === 'https:' ? secureSocket(socket, url, { ...tls, ALPNProtocols: ['h2'] }) : socket;
  }
}
