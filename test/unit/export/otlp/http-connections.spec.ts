import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { GrpcSender } from '../../../../lib/export/otlp/grpc-sender.js';
import { HttpConnections } from '../../../../lib/export/otlp/http-connections.js';
import { until } from '../exporters/started-providers.js';

const undos: (() => unknown)[] = [];
beforeEach(() => {
  // The time limits can be advanced. Everything else runs in real time.
  const real = ['Date', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'setInterval'] as const;
  jest.useFakeTimers({ doNotFake: [...real, 'clearInterval', 'clearImmediate'] });
});
afterEach(async () => {
  jest.useRealTimers();
  for (const undo of undos.splice(0).toReversed()) await undo();
});

/** Returns the port of a server, and its open connections. */
async function listen(server: Server) {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undos.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

const silentServer = () => listen(createNetServer((socket) => socket.resume()));

/** A receiver that answers when it is told to. */
async function receiver() {
  const waiting: ServerResponse[] = [];
  const listening = await listen(
    createServer((request, response) => {
      request.resume();
      waiting.push(response);
    }),
  );
  return { ...listening, waiting };
}

function connectionsTo(url: string, proxy?: string) {
  const connections = new HttpConnections({
    url: new URL(url),
    proxy: proxy ? new URL(proxy) : undefined,
    tls: undefined,
  });
  undos.push(() => connections.close());
  return { connections, post: (timeout = 60_000) => connections.post(Buffer.from('spans'), {}, timeout) };
}

const failureOf = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

async function advance(time: number): Promise<void> {
  jest.advanceTimersByTime(time);
  for (let turn = 0; turn < 10; turn++) await nextTurn();
}

describe('a connection over HTTP', () => {
  it('that does not come about is given up after a short time: nothing has left, so another attempt loses no time', async () => {
    const { port, sockets } = await silentServer();
    // TCP connects, but no handshake of TLS follows.
    const { post } = connectionsTo(`https://localhost:${port}`);
    const failure = failureOf(post());
    await until(() => sockets.size === 1);
    await advance(3499);
    expect(sockets.size).toBe(1);
    await advance(1);
    expect(await failure).toMatchObject({ message: 'no connection within 3500 ms', code: 'ETIMEDOUT' });
    await until(() => sockets.size === 0);
  });

  it('that is there may take as long as it has for its answer', async () => {
    const { port, waiting } = await receiver();
    const { post } = connectionsTo(`http://127.0.0.1:${port}`);
    for (let message = 0; message < 2; message++) {
      const posted = post();
      await until(() => waiting.length === 1);
      await advance(50_000);
      waiting.pop()!.end();
      expect(await posted).toMatchObject({ status: 200 });
    }
  });

  it('that is idle is not used again when another one gets no answer: it may be as mute', async () => {
    const { port, sockets, waiting } = await receiver();
    const { post } = connectionsTo(`http://127.0.0.1:${port}`);
    const first = [post(), post()];
    await until(() => waiting.length === 2);
    for (const response of waiting.splice(0)) response.end();
    await Promise.all(first);
    const silent = post();
    await until(() => waiting.length === 1);
    await advance(1999);
    expect(sockets.size).toBe(2);
    await advance(1);
    await until(() => sockets.size === 1);
    // The connection that waits is kept: its receiver may be slow.
    waiting.pop()!.end();
    expect(await silent).toMatchObject({ status: 200 });
  });
});

describe('a proxy that never opens a tunnel', () => {
  it.each<[string, (socket: Socket) => void]>([
    ['is mute', () => {}],
    [
      'sends its answer byte by byte',
      (socket) => {
        const timer = setInterval(() => socket.write('x'), 5);
        socket.on('close', () => clearInterval(timer)).write('HTTP/1.1 200 OK\r\nX: ');
      },
    ],
  ])('and %s holds neither a message nor a socket', async (_name, answer) => {
    const { port, sockets } = await listen(createNetServer((socket) => void socket.once('data', () => answer(socket))));
    const proxy = `http://127.0.0.1:${port}`;
    const sender = new GrpcSender({
      url: new URL('http://otlp.example:4317'),
      method: '/Export',
      proxy: new URL(proxy),
      metadata: {},
      compression: 'none',
      tls: undefined,
    });
    undos.push(() => sender.close());
    const sent = sender.send(Buffer.from('spans'), 60_000);
    const failure = failureOf(connectionsTo('https://otlp.example', proxy).post());
    await until(() => sockets.size === 2);
    await advance(3500);
    const error = { message: 'the proxy does not answer', code: 'ETIMEDOUT' };
    expect(await sent).toMatchObject({ type: 'retryable', error });
    expect(await failure).toMatchObject({ code: 'ETIMEDOUT' });
    await until(() => sockets.size === 0);
  });
});

it('a tunnel whose sender has been closed meanwhile holds no socket', async () => {
  const { port, sockets } = await silentServer();
  const proxy = `http://127.0.0.1:${port}`;
  const { connections, post } = connectionsTo('https://otlp.example', proxy);
  const url = new URL('http://otlp.example:4317');
  const options = { url, method: '/Export', metadata: {}, compression: 'none', tls: undefined } as const;
  const sender = new GrpcSender({ ...options, proxy: new URL(proxy) });
  const failures = [failureOf(post()), sender.send(Buffer.from('spans'), 60_000)];
  // The connection to the proxy does not come about before the next turn.
  connections.close();
  sender.close();
  expect(await Promise.all(failures)).toMatchObject([expect.any(Error), { type: 'retryable' }]);
  // The server may notice a connection only now.
  await advance(0);
  await until(() => sockets.size === 0);
});
