import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { connect, createServer as createNetServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { GrpcSender, type GrpcSenderOptions } from '../../../../lib/export/otlp/grpc-sender.js';
import type { Reply } from '../../../../lib/export/otlp/sender.js';
import { certificate, privateKey } from '../../../support/certificate.js';

const undos: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of undos.splice(0).toReversed()) await undo();
});

interface Call {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  /** The frame of the message: whether it is compressed, and the message. */
  readonly isCompressed: boolean;
  readonly message: Buffer;
}

async function listen(server: Http2Server | Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A server of gRPC, as far as its wire is concerned. */
async function receiver(handle: (call: Call, attempt: number) => void) {
  const calls: Call[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {}).on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const frame = Buffer.concat(chunks);
      const message = frame.subarray(5);
      if (frame.readUInt32BE(1) !== message.length) throw new Error('a frame of another length than it says');
      const call = { stream, headers, isCompressed: frame[0] === 1, message };
      calls.push(call);
      handle(call, calls.length);
    });
  });
  const port = await listen(server);
  undos.push(() => {
    for (const session of sessions) session.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { calls, sessions, url: `http://127.0.0.1:${port}` };
}

function senderTo(url: string, options: Partial<GrpcSenderOptions> = {}) {
  const sender = new GrpcSender({
    url: new URL(url),
    method: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    proxy: undefined,
    metadata: {},
    compression: 'none',
    tls: undefined,
    ...options,
  });
  undos.push(() => sender.close());
  return (body = 'spans', timeout = 5000): Promise<Reply> => sender.send(Buffer.from(body), timeout);
}

/** Ends a call with a status, after a message if there is one. */
function finish({ stream }: Call, trailers: Record<string, string>, message?: Buffer): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  const frame = Buffer.alloc(5);
  if (message) frame.writeUInt32BE(message.length, 1);
  stream.end(message ? Buffer.concat([frame, message]) : Buffer.alloc(0));
}

const OK = { 'grpc-status': '0' };

describe('a message over gRPC', () => {
  it('arrives as a call of the service for traces, on one connection', async () => {
    const { calls, sessions, url } = await receiver((call) => finish(call, OK, Buffer.alloc(0)));
    const send = senderTo(url, { metadata: { 'x-key': 'secret' } });
    const accepted = { type: 'accepted', hasLeft: true, rejectedSpans: 0, message: '' };
    expect([await send('one'), await send('two')]).toEqual([accepted, accepted]);
    expect(calls.map(({ message }) => message.toString())).toEqual(['one', 'two']);
    expect(sessions.size).toBe(1);
    expect(calls[0]).toMatchObject({
      isCompressed: false,
      headers: {
        ':method': 'POST',
        ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
        'content-type': 'application/grpc',
        te: 'trailers',
        'x-key': 'secret',
        'grpc-timeout': expect.stringMatching(/^\d+m$/),
      },
    });
  });

  it('is compressed if that is wanted', async () => {
    const { calls, url } = await receiver((call) => finish(call, OK));
    expect(await senderTo(url, { compression: 'gzip' })()).toMatchObject({ type: 'accepted' });
    expect([calls[0]?.isCompressed, calls[0]?.headers['grpc-encoding']]).toEqual([true, 'gzip']);
    expect(gunzipSync(calls[0]!.message).toString()).toBe('spans');
  });

  it('may be accepted in part', async () => {
    const partial = Buffer.from([0x0a, 7, 0x08, 2, 0x12, 3, ...Buffer.from('old')]);
    const { url } = await receiver((call) => finish(call, OK, partial));
    expect(await senderTo(url)()).toEqual({ type: 'accepted', hasLeft: true, rejectedSpans: 2, message: 'old' });
  });

  it.each([1, 4, 10, 11, 14, 15])('is worth another attempt after status %i', async (code) => {
    const { url } = await receiver((call) =>
      finish(call, { 'grpc-status': String(code), 'grpc-message': 'not%20now' }),
    );
    const error = expect.objectContaining({ message: `gRPC status ${code}: not now`, code });
    expect(await senderTo(url)()).toEqual({ type: 'retryable', error, after: undefined });
  });

  it.each([2, 3, 5, 6, 7, 8, 9, 12, 13, 16])('is refused by status %i', async (code) => {
    const { url } = await receiver((call) => finish(call, { 'grpc-status': String(code) }));
    expect(await senderTo(url)()).toMatchObject({ type: 'refused', error: { message: `gRPC status ${code}`, code } });
  });

  it('is to be sent again after the delay that the receiver asks for', async () => {
    // google.rpc.Status { details: [Any { RetryInfo { retry_delay: 2.5 s } }] }
    const url = Buffer.from('type.googleapis.com/google.rpc.RetryInfo');
    const duration = Buffer.from([0x08, 2, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01]);
    const info = Buffer.concat([Buffer.from([0x0a, duration.length]), duration]);
    const any = Buffer.concat([Buffer.from([0x0a, url.length]), url, Buffer.from([0x12, info.length]), info]);
    const details = Buffer.concat([Buffer.from([0x08, 8, 0x1a, any.length]), any]).toString('base64');
    const { url: address } = await receiver((call) =>
      finish(call, { 'grpc-status': '8', 'grpc-status-details-bin': details }),
    );
    expect(await senderTo(address)()).toMatchObject({ type: 'retryable', after: 2500 });
  });

  it('is too large if the receiver says so', async () => {
    const message = 'grpc: received message larger than max (5 vs. 4)';
    const { url } = await receiver((call) => finish(call, { 'grpc-status': '8', 'grpc-message': message }));
    expect(await senderTo(url)()).toMatchObject({ type: 'too large', error: { code: 8 } });
  });

  it('may be answered with a head alone', async () => {
    const { url } = await receiver(({ stream }) =>
      stream.respond(
        { ':status': 200, 'grpc-status': '16', 'grpc-message': 'who%E2%80%99s there?' },
        { endStream: true },
      ),
    );
    expect(await senderTo(url)()).toMatchObject({
      type: 'refused',
      error: { message: 'gRPC status 16: who’s there?' },
    });
  });

  it.each([
    [503, 'retryable'],
    [429, 'retryable'],
    [404, 'refused'],
    [302, 'refused'],
  ] as const)('may be answered by something that speaks no gRPC: status %i is %s', async (status, type) => {
    const { url } = await receiver(({ stream }) => stream.respond({ ':status': status }, { endStream: true }));
    expect(await senderTo(url)()).toMatchObject({ type });
  });
});

describe('a connection', () => {
  it('that is silent is given up when the time is up, and the next message has a new one', async () => {
    const { calls, sessions, url } = await receiver((call, attempt) => {
      if (attempt > 2) finish(call, OK);
    });
    const send = senderTo(url);
    const [first, second] = await Promise.all([send('a', 200), send('b', 5000)]);
    expect(first).toMatchObject({ type: 'retryable', error: { code: 'ETIMEDOUT' } });
    expect(second).toMatchObject({ type: 'retryable' });
    expect(await send('c')).toMatchObject({ type: 'accepted' });
    expect(calls).toHaveLength(3);
    expect(sessions.size).toBe(1);
  });

  it('that does not come about is reported with its reason', async () => {
    const server = createNetServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const send = senderTo(`http://127.0.0.1:${port}`);
    expect(await send()).toMatchObject({ type: 'retryable', error: { code: 'ECONNREFUSED' } });
    expect(await send()).toMatchObject({ type: 'retryable', error: { code: 'ECONNREFUSED' } });
  });

  it.each<[string, (socket: Socket) => void]>([
    ['never says anything', () => {}],
    ['speaks another protocol', (socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['is closed', (socket) => void socket.destroy()],
    ['is ended', (socket) => void socket.end()],
  ])('that %s takes no message, and holds no socket', async (_name, answer) => {
    const sockets = new Set<Socket>();
    const server = createNetServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
      socket.once('data', () => answer(socket));
    });
    const port = await listen(server);
    expect(await senderTo(`http://127.0.0.1:${port}`)('spans', 300)).toMatchObject({ type: 'retryable' });
    for (const socket of sockets) await once(socket, 'close');
    await new Promise((resolve) => server.close(resolve));
  });

  it('that the receiver closes between two messages is replaced', async () => {
    const { calls, sessions, url } = await receiver((call) => finish(call, OK));
    const send = senderTo(url);
    await send('a');
    const [session] = sessions;
    const closed = once(session!, 'close');
    session!.close();
    await closed;
    expect(await send('b')).toMatchObject({ type: 'accepted' });
    expect(calls).toHaveLength(2);
  });

  it('is closed with the sender, which takes no more messages', async () => {
    const { calls, url } = await receiver(() => {});
    const sender = new GrpcSender({
      url: new URL(url),
      method: '/',
      proxy: undefined,
      metadata: {},
      compression: 'none',
      tls: undefined,
    });
    const sent = sender.send(Buffer.from('a'), 60_000);
    while (calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    sender.close();
    const closed = { type: 'retryable', error: { message: 'the exporter has shut down' } };
    expect(await sent).toMatchObject(closed);
    expect(await sender.send(Buffer.from('b'), 1000)).toMatchObject(closed);
  });

  it('that answers without end is cut', async () => {
    const { url } = await receiver(({ stream }) => {
      stream.respond({ ':status': 200 });
      const chunk = Buffer.alloc(32 * 1024);
      const more = () => {
        while (!stream.destroyed && stream.write(chunk));
      };
      stream.on('drain', more);
      more();
    });
    expect(await senderTo(url)()).toMatchObject({
      type: 'retryable',
      error: { message: 'an answer of more than 65536 bytes' },
    });
  });
});

describe('a proxy', () => {
  /** A proxy that opens tunnels to one port, whatever it is asked for. */
  async function proxyTo(port: number) {
    const tunnels: unknown[] = [];
    const sockets = new Set<Socket>();
    const proxy = createHttpServer();
    proxy.on('connection', (socket: Socket) => sockets.add(socket));
    proxy.on('connect', (request: IncomingMessage, client: Socket) => {
      tunnels.push([request.url, request.headers['proxy-authorization']]);
      const target = connect(port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        target.pipe(client).pipe(target);
      });
      client.on('error', () => {}).on('close', () => target.destroy());
      target.on('error', () => {}).on('close', () => client.destroy());
    });
    const proxyPort = await listen(proxy);
    undos.push(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => proxy.close(resolve));
    });
    return { tunnels, url: new URL(`http://user:secret@127.0.0.1:${proxyPort}`) };
  }

  it('is passed by a tunnel, on a connection that is used again', async () => {
    const { calls, url } = await receiver((call) => finish(call, OK));
    const { tunnels, url: proxy } = await proxyTo(Number(new URL(url).port));
    const send = senderTo('http://otlp.example:4317', { proxy });
    const accepted = { type: 'accepted' };
    expect([await send('a'), await send('b')]).toMatchObject([accepted, accepted]);
    expect(calls).toHaveLength(2);
    expect(tunnels).toEqual([['otlp.example:4317', `Basic ${Buffer.from('user:secret').toString('base64')}`]]);
  });

  it('is passed by TLS, too', async () => {
    const server = createSecureServer({ cert: certificate, key: privateKey });
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('data', () => {}).on('error', () => {});
      stream.on('end', () => stream.respond({ ':status': 200, ...OK }, { endStream: true }));
    });
    const sessions = new Set<ServerHttp2Session>();
    server.on('session', (session) => void sessions.add(session.on('error', () => {})));
    const port = await listen(server);
    undos.push(() => {
      for (const session of sessions) session.destroy();
      return new Promise((resolve) => server.close(resolve));
    });
    const { url: proxy } = await proxyTo(port);
    const ca = Buffer.from(certificate);
    const trusting = senderTo(`https://localhost:${port}`, { proxy, tls: () => Promise.resolve({ ca }) });
    expect(await trusting()).toMatchObject({ type: 'accepted' });
    const distrusting = senderTo(`https://localhost:${port}`, { proxy });
    expect(await distrusting()).toMatchObject({
      type: 'retryable',
      error: { message: expect.stringMatching(/certificate/) },
    });
  });
});
