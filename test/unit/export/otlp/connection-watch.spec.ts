import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { createServer as createNetServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { GrpcConnection } from '../../../../lib/export/otlp/grpc-connection.js';
import { GrpcSender } from '../../../../lib/export/otlp/grpc-sender.js';
import type { Reply } from '../../../../lib/export/otlp/sender.js';
import { until } from '../exporters/started-providers.js';

const undos: (() => unknown)[] = [];
beforeEach(() => {
  // The looks at a connection are the only interval. Everything else runs in real time.
  const real = ['Date', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'setTimeout'] as const;
  jest.useFakeTimers({ doNotFake: [...real, 'clearTimeout', 'clearImmediate'] });
});
afterEach(async () => {
  jest.useRealTimers();
  for (const undo of undos.splice(0).toReversed()) await undo();
});

async function listen(server: Http2Server | Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A server of gRPC that answers if it is told to, and counts the pings on each connection. */
async function receiver() {
  const pings: number[] = [];
  const sessions: ServerHttp2Session[] = [];
  const waiting: ServerHttp2Stream[] = [];
  const state = { isAnswering: true };
  const answer = (stream: ServerHttp2Stream) =>
    stream.respond({ ':status': 200, 'grpc-status': '0' }, { endStream: true });
  const server = createServer();
  server.on('session', (session) => {
    const index = sessions.push(session) - 1;
    pings[index] = 0;
    session.on('ping', () => pings[index]!++).on('error', () => {});
  });
  server.on('stream', (stream) => {
    stream.on('error', () => {}).resume();
    stream.on('end', () => (state.isAnswering ? answer(stream) : waiting.push(stream)));
  });
  const port = await listen(server);
  undos.push(() => {
    for (const session of sessions) session.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { pings, sessions, state, waiting, port, answerAll: () => waiting.splice(0).forEach(answer) };
}

/** A network between a sender and a receiver, which may lose whatever is sent on the connections that exist. */
async function networkTo(port: number) {
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createNetServer((near) => {
    const far = connect(port, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    near.pipe(far).pipe(near);
    for (const socket of pair) socket.on('error', () => {}).on('close', () => pairs.delete(pair));
  });
  const nearPort = await listen(server);
  undos.push(() => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const mute = () => {
    for (const [near, far] of pairs) {
      near.unpipe(far).resume();
      far.unpipe(near).resume();
    }
  };
  return { mute, pairs, port: nearPort };
}

function senderTo(port: number) {
  const sender = new GrpcSender({
    url: new URL(`http://127.0.0.1:${port}`),
    method: '/Export',
    proxy: undefined,
    metadata: {},
    compression: 'none',
    tls: undefined,
  });
  undos.push(() => sender.close());
  return { sender, send: (timeout = 60_000): Promise<Reply> => sender.send(Buffer.from('spans'), timeout) };
}

/** Looks at the connection so many times, with the time for a reply in between. */
async function look(times: number): Promise<void> {
  for (let count = 0; count < times; count++) {
    jest.advanceTimersByTime(500);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
  }
}

describe('a connection on which a call waits for its answer', () => {
  it('is replaced if the receiver has vanished without a word, and the message is sent again at once', async () => {
    const { pings, port, sessions } = await receiver();
    const network = await networkTo(port);
    const { send } = senderTo(network.port);
    expect(await send()).toMatchObject({ type: 'accepted' });
    network.mute();
    const sent = send();
    await until(() => jest.getTimerCount() > 0);
    // A ping after one second, and its reply would have come in the next two and a half.
    await look(7);
    expect(await sent).toMatchObject({ type: 'accepted' });
    expect(sessions).toHaveLength(2);
    expect(pings).toEqual([0, 0]);
  });

  it('is given up if the receiver has never said anything', async () => {
    const sockets: Socket[] = [];
    const server = createNetServer((socket) => void sockets.push(socket.on('error', () => {}).resume()));
    const port = await listen(server);
    undos.push(() => new Promise((resolve) => server.close(resolve)));
    const sent = senderTo(port).send();
    await until(() => sockets.length === 1);
    const closed = once(sockets[0]!, 'close');
    await look(10);
    const message = 'the connection is mute: no reply to a ping in 2.5 s';
    expect(await sent).toMatchObject({ type: 'retryable', error: { message, code: 'ETIMEDOUT' } });
    await closed;
  });

  it('is kept while the receiver replies to pings, and is not pinged so often that the receiver takes it for an attack', async () => {
    const { answerAll, pings, port, sessions, state, waiting } = await receiver();
    const { send } = senderTo(port);
    state.isAnswering = false;
    for (const total of [2, 4]) {
      const sent = send();
      await until(() => waiting.length === 1);
      await look(40);
      expect(pings).toEqual([total]);
      answerAll();
      expect(await sent).toMatchObject({ type: 'accepted' });
    }
    expect(sessions).toHaveLength(1);
  });

  it('gets no further calls after two seconds, and is closed when its last one has ended', async () => {
    const { answerAll, port, sessions, state, waiting } = await receiver();
    const { send } = senderTo(port);
    state.isAnswering = false;
    const first = send();
    await until(() => waiting.length === 1);
    await look(3);
    const second = send();
    await until(() => waiting.length === 2);
    expect(sessions).toHaveLength(1);
    await look(1);
    const third = send();
    await until(() => waiting.length === 3);
    expect(sessions).toHaveLength(2);
    expect(sessions[0]!.closed).toBe(false);
    const closed = once(sessions[0]!, 'close');
    answerAll();
    expect(await Promise.all([first, second, third])).toMatchObject(
      Array.from({ length: 3 }, () => ({ type: 'accepted' })),
    );
    await closed;
    state.isAnswering = true;
    expect(await send()).toMatchObject({ type: 'accepted' });
    expect(sessions).toHaveLength(2);
  });

  it('may have any number of calls: Node does not warn the application of their listeners', async () => {
    const { port } = await receiver();
    const url = new URL(`http://127.0.0.1:${port}`);
    const connection = new GrpcConnection({ url, proxy: undefined, tls: undefined });
    undos.push(() => connection.close());
    const { http2 } = await connection.session();
    expect(http2.getMaxListeners()).toBe(0);
    await once(http2, 'connect');
  });

  it('is not pinged if it answers soon, nor while it is idle', async () => {
    const { pings, port } = await receiver();
    const { send } = senderTo(port);
    for (let call = 0; call < 5; call++) {
      expect(await send()).toMatchObject({ type: 'accepted' });
      expect(jest.getTimerCount()).toBe(0);
      await look(3);
    }
    expect(pings).toEqual([0]);
  });
});

describe('a receiver that goes away', () => {
  it('may finish the calls that it has, and the next message has a new connection', async () => {
    const { answerAll, port, sessions, state, waiting } = await receiver();
    const { send } = senderTo(port);
    state.isAnswering = false;
    const first = send();
    await until(() => waiting.length === 1);
    sessions[0]!.close();
    await look(1);
    const second = send();
    await until(() => waiting.length === 2);
    expect(sessions).toHaveLength(2);
    answerAll();
    expect(await Promise.all([first, second])).toMatchObject([{ type: 'accepted' }, { type: 'accepted' }]);
  });

  it('holds no connection beyond the end of the sender, though it never finishes', async () => {
    const { port, sessions, state, waiting } = await receiver();
    const { send, sender } = senderTo(port);
    state.isAnswering = false;
    const sent = send();
    await until(() => waiting.length === 1);
    sessions[0]!.goaway(0);
    await look(1);
    const closed = new Promise((resolve) => sessions[0]!.once('close', resolve));
    sender.close();
    expect(await sent).toMatchObject({ type: 'retryable', error: { message: 'the exporter has shut down' } });
    await closed;
  });
});
