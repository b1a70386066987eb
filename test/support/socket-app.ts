import type { INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { WebSocket } from 'ws';
import { startHttpApp, untraced, type HttpApp, type HttpAppOptions, type Platform } from './http-app.js';
import { handler, type ExpectedSpan } from './trace-tree.js';

export type SocketLibrary = 'Socket.IO' | 'ws';

/** The combinations of an HTTP platform and a library for WebSockets. */
export const socketPlatforms = [
  ['Socket.IO', 'Express'],
  ['Socket.IO', 'Fastify'],
  ['ws', 'Express'],
  ['ws', 'Fastify'],
] as const satisfies [SocketLibrary, Platform][];

/** A client outside of the application: nothing that it does is traced. */
export interface SocketClient {
  send(event: string, data?: unknown): void;
  /** Resolves with the next message that the server sends: its event and its data. */
  next(): Promise<[event: string, data: unknown]>;
  close(): Promise<void>;
}

export interface SocketApp extends HttpApp {
  connect(
    namespace?: string,
    options?: Partial<ManagerOptions & SocketOptions>,
  ): Promise<SocketClient & { readonly socket: Socket }>;
}

export interface SocketAppOptions extends HttpAppOptions {
  createAdapter?: (app: INestApplication) => IoAdapter | WsAdapter;
}

/** Starts an application with gateways. */
export async function startSocketApp(
  library: SocketLibrary,
  platform: Platform,
  { createAdapter, prepare, ...options }: SocketAppOptions,
): Promise<SocketApp> {
  const create = createAdapter ?? ((app) => (library === 'ws' ? new WsAdapter(app) : new IoAdapter(app)));
  const http = await startHttpApp(platform, {
    ...options,
    async prepare(app) {
      app.useWebSocketAdapter(create(app));
      await prepare?.(app);
    },
  });
  const clients = new Set<SocketClient>();
  return {
    ...http,
    async connect(namespace = '', clientOptions = {}) {
      const client = await untraced(() =>
        library === 'ws' ? connectWs(http.port) : connectSocketIo(`${http.url}${namespace}`, clientOptions),
      );
      clients.add(client);
      return client as SocketClient & { readonly socket: Socket };
    },
    async close() {
      for (const client of clients) await client.close();
      await http.close();
    },
  };
}

async function connectSocketIo(url: string, options: Partial<ManagerOptions & SocketOptions>): Promise<SocketClient> {
  const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false, ...options });
  const inbox = new Inbox();
  socket.onAny((event: string, data: unknown) => inbox.add([event, data]));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return Object.assign(inbox.client, {
    socket,
    send: (event: string, data?: unknown) => void untraced(() => socket.emit(event, data)),
    close: async () => void socket.close(),
  });
}

async function connectWs(port: number): Promise<SocketClient> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  const inbox = new Inbox();
  socket.on('message', (text: Buffer) => {
    const { event, data } = JSON.parse(text.toString()) as { event: string; data: unknown };
    inbox.add([event, data]);
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return Object.assign(inbox.client, {
    socket,
    send: (event: string, data?: unknown) => untraced(() => socket.send(JSON.stringify({ event, data }))),
    close: () =>
      new Promise<void>((resolve) => {
        if (socket.readyState === WebSocket.CLOSED) return resolve();
        socket.once('close', () => resolve());
        socket.close();
      }),
  });
}

type Received = [event: string, data: unknown];

/** The messages that a client has received and a test has not taken. */
class Inbox {
  readonly #received: Received[] = [];
  readonly #waiting: ((received: Received) => void)[] = [];

  add(received: Received): void {
    const take = this.#waiting.shift();
    if (take) take(received);
    else this.#received.push(received);
  }

  get client(): Pick<SocketClient, 'next'> {
    return {
      next: () => {
        const received = this.#received.shift();
        return received ? Promise.resolve(received) : new Promise((resolve) => this.#waiting.push(resolve));
      },
    };
  }
}

/** The trace of a message, with the span of its handler. */
export function message(
  name: string,
  handlerName: string | undefined,
  details: Partial<ExpectedSpan> = {},
  ...children: ExpectedSpan[]
): ExpectedSpan {
  const below = handlerName === undefined ? children : [handler(handlerName, ...children)];
  return { name, kind: 'SERVER', children: below, ...details };
}
