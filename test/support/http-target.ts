import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { certificate, privateKey } from './certificate.js';

/** A request as it was received over the wire. */
export interface TargetRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
}

/** A server without Nest and without tracing. It stores the requests that it receives, and misbehaves on request. */
export class HttpTarget {
  readonly received: TargetRequest[] = [];
  #answers = new Map<string, ServerResponse>();
  #wake: (() => void)[] = [];

  private constructor(
    private readonly server: Server,
    private readonly scheme: 'http' | 'https',
    private readonly sockets: Set<Socket>,
  ) {}

  static async start(scheme: 'http' | 'https' = 'http', listenOn?: string): Promise<HttpTarget> {
    const sockets = new Set<Socket>();
    const listener: RequestListener = (request, response) => target.#serve(request, response);
    const server =
      scheme === 'http' ? createServer(listener) : createTlsServer({ key: privateKey, cert: certificate }, listener);
    const target = new HttpTarget(server, scheme, sockets);
    server.on(scheme === 'http' ? 'connection' : 'secureConnection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => sockets.delete(socket));
    });
    server.on('upgrade', (request, socket) => target.#takeOver(request, socket as Socket));
    server.on('connect', (request, socket) => target.#takeOver(request, socket as Socket));
    if (listenOn === undefined) server.listen(0, '127.0.0.1');
    else server.listen(listenOn);
    await once(server, 'listening');
    return target;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.port}`;
  }

  get openSockets(): number {
    return this.sockets.size;
  }

  /** The one request of this path. */
  only(path: string): TargetRequest {
    const found = this.received.filter((it) => it.path === path);
    if (found.length === 1) return found[0]!;
    throw new Error(`${found.length} requests for ${path}: ${this.received.map((it) => it.path).join(', ')}`);
  }

  /** Resolves when a request for this path has arrived. */
  async reached(path: string): Promise<void> {
    while (!this.received.some((it) => it.path === path)) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Ends the pending answer. */
  release(path: string): void {
    this.#answers.get(path)!.end('late');
  }

  /** Closes the connection of the pending answer, in an orderly way or with a reset. */
  cut(path: string, how: 'close' | 'reset'): void {
    const { socket } = this.#answers.get(path)!;
    if (how === 'close') socket!.destroy();
    else socket!.resetAndDestroy();
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  #note(request: IncomingMessage): void {
    const { headers, method = '', rawHeaders, url: path = '' } = request;
    this.received.push({ method, path, headers, rawHeaders });
    for (const wake of this.#wake.splice(0)) wake();
  }

  #takeOver(request: IncomingMessage, socket: Socket): void {
    if (request.method === 'CONNECT') socket.write('HTTP/1.1 200 OK\r\n\r\n');
    else socket.write('HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    this.#note(request);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    this.#answers.set(path, response);
    const [, what = '', detail = ''] = path.split(/[/?]/);
    switch (what) {
      case 'status':
        response.writeHead(Number(detail), { 'x-answer': 'yes' }).end(detail);
        break;
      case 'redirect':
        response.writeHead(302, { location: `/${path.split('/').slice(2).join('/')}` }).end();
        break;
      case 'away':
        response.writeHead(302, { location: decodeURIComponent(path.split('?')[1] ?? '') }).end();
        break;
      case 'echo':
        request.pipe(response);
        break;
      case 'hang':
        request.resume();
        break;
      case 'half':
        response.writeHead(Number(detail) || 200, { 'content-length': 100 });
        response.write('part');
        break;
      case 'big':
        response.end(Buffer.alloc(4_000_000));
        break;
      case 'close':
        request.socket.destroy();
        break;
      case 'reset':
        request.socket.resetAndDestroy();
        break;
      case 'refuse-body':
        response.writeHead(413, { connection: 'close' }).end('too large');
        break;
      default:
        response.setHeader('set-cookie', ['a=1', 'b=2']).setHeader('x-answer', 'yes');
        response.end('hello');
    }
    this.#note(request);
  }
}
