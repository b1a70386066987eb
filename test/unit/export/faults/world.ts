import dns from 'node:dns';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net, { type Server } from 'node:net';
import { jest } from '@jest/globals';
import { server as serverCertificate, type CertificatePair } from '../../../support/certificates.js';
import { FrontServer, type Behaviour } from './front-server.js';

/** The way from the exporter to the backend: at once, by a name, with TLS, or through a proxy. */
export type Way = 'direct' | 'name' | 'tls' | 'proxy' | 'tls proxy';
export type Wire = 'http' | 'grpc';

const realLookup = dns.lookup;

type Lookup = (error: Error | null, address?: unknown, family?: number) => void;

/** A backend, and a proxy and a name that lead to it. Each of them can fail. */
export class World {
  readonly backend: FrontServer;
  readonly proxy: FrontServer;
  /** The code with which the name is not found, or `mute` while no server of DNS answers. Undefined if the name is known. */
  nameFault: string | undefined;
  lookups = 0;
  private readonly waitingLookups: (() => void)[] = [];
  private epoch: ReturnType<World['startEpoch']>;

  constructor(
    readonly way: Way,
    readonly wire: Wire,
  ) {
    this.epoch = this.startEpoch();
    this.backend = new FrontServer(this.epoch.backend);
    this.proxy = new FrontServer(this.epoch.proxy);
    jest.spyOn(dns, 'lookup').mockImplementation(this.lookup as never);
  }

  get isSecure(): boolean {
    return this.way.startsWith('tls');
  }

  get url(): string {
    const host = this.way === 'direct' ? '127.0.0.1' : 'backend.test';
    return `${this.isSecure ? 'https' : 'http'}://${host}:${this.backend.port}`;
  }

  /** The variables of the process for this way. */
  get env(): Record<string, string> {
    const proxy = `http://127.0.0.1:${this.proxy.port}`;
    return this.way.endsWith('proxy') ? { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } : {};
  }

  async listen(): Promise<void> {
    await this.backend.listen();
    await this.proxy.listen();
  }

  async close(): Promise<void> {
    this.heal();
    await this.backend.stop();
    await this.proxy.stop();
  }

  /** Makes the open connections mute, as a network does, or cuts them, as a backend does that restarts. */
  leave(isMute: boolean): void {
    this.epoch.isMute = true;
    if (isMute) return;
    for (const { sockets } of [this.backend, this.proxy]) for (const socket of sockets) socket.destroy();
  }

  /** Lets new connections be answered. Those that are open stay as they are: as if the backend had moved to another host. */
  heal(): void {
    this.epoch = this.startEpoch();
    this.backend.behaviour = this.epoch.backend;
    this.proxy.behaviour = this.epoch.proxy;
    this.nameFault = undefined;
    for (const lookUp of this.waitingLookups.splice(0)) lookUp();
  }

  /** The behaviour of a backend that answers by HTTP, or by HTTP/2, with this certificate if the way is one with TLS. */
  answering(
    answer: { readonly http?: http.RequestListener; readonly grpc?: (stream: http2.ServerHttp2Stream) => void },
    tls: https.ServerOptions = serverCertificate,
    session: (session: http2.ServerHttp2Session) => void = () => {},
    settings: http2.Settings = {},
  ): Behaviour {
    return passTo(
      this.wire === 'http' ? this.httpServer(answer.http, tls) : this.grpcServer(answer.grpc, tls, session, settings),
    );
  }

  /** The behaviour of a backend that accepts everything, with another certificate. */
  accepting(tls: https.ServerOptions & Partial<CertificatePair> = serverCertificate): Behaviour {
    return this.answering({ http: acceptRequest, grpc: acceptCall }, tls);
  }

  private startEpoch(): { isMute: boolean; backend: Behaviour; proxy: Behaviour } {
    const epoch = { isMute: false, backend: (() => {}) as Behaviour, proxy: (() => {}) as Behaviour };
    epoch.backend = this.answering({
      http: (request, response) => (epoch.isMute ? request.resume() : acceptRequest(request, response)),
      grpc: (stream) => (epoch.isMute ? stream.resume() : acceptCall(stream)),
    });
    // A proxy for HTTP answers in the place of the backend.
    const proxy = http.createServer((request, response) =>
      epoch.isMute ? request.resume() : acceptRequest(request, response),
    );
    proxy.on('connect', (_request, client: net.Socket) => {
      if (epoch.isMute) return;
      const target = net.connect(this.backend.port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        target.pipe(client).pipe(target);
      });
      client.on('error', () => {}).on('close', () => target.destroy());
      target.on('error', () => {}).on('close', () => client.destroy());
    });
    epoch.proxy = passTo(proxy);
    return epoch;
  }

  private httpServer(answer: http.RequestListener | undefined, tls: https.ServerOptions): Server {
    const server = this.isSecure ? https.createServer(tls, answer) : http.createServer(answer);
    return server.on('clientError', (_error, socket) => void socket.destroy()).on('tlsClientError', () => {});
  }

  private grpcServer(
    answer: ((stream: http2.ServerHttp2Stream) => void) | undefined,
    tls: https.ServerOptions,
    session: (session: http2.ServerHttp2Session) => void,
    settings: http2.Settings,
  ): Server {
    const server = this.isSecure
      ? http2.createSecureServer({ ...(tls as http2.SecureServerOptions), settings })
      : http2.createServer({ settings });
    server.on('sessionError', () => {});
    server.on('session', (started) => session(started.on('error', () => {})));
    server.on('stream', (stream: http2.ServerHttp2Stream) => {
      stream.on('error', () => {});
      answer?.(stream);
    });
    return server.on('tlsClientError', () => {});
  }

  private readonly lookup = (name: string, options: { all?: boolean }, callback: Lookup): void => {
    // Servers look up the address on which they listen.
    if (name !== 'backend.test') {
      realLookup(name, options as never, callback as never);
      return;
    }
    this.lookups++;
    const { nameFault } = this;
    if (nameFault === 'mute') {
      // A resolver asks again every few seconds, until a server of DNS answers.
      this.waitingLookups.push(() => this.lookup(name, options, callback));
      return;
    }
    setImmediate(() => {
      if (nameFault !== undefined) {
        callback(Object.assign(new Error(`getaddrinfo ${nameFault} backend.test`), { code: nameFault }));
      } else if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
      else callback(null, '127.0.0.1', 4);
    });
  };
}

function passTo(server: Server): Behaviour {
  return (socket) => void server.emit('connection', socket);
}

function acceptRequest(request: http.IncomingMessage, response: http.ServerResponse): void {
  request.resume().on('end', () => response.end());
}

export function acceptCall(stream: http2.ServerHttp2Stream): void {
  stream.resume().on('end', () => {
    if (!stream.destroyed) stream.respond({ ':status': 200, 'grpc-status': '0' }, { endStream: true });
  });
}
