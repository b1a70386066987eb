import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, createServer as createNetServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { createServer as createSecureServer } from 'node:https';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { EncodedSpan, OtlpEncoder } from '../../../../lib/export/otlp/encoded-span.js';
import { HttpConnections } from '../../../../lib/export/otlp/http-connections.js';
import { HttpSender } from '../../../../lib/export/otlp/http-sender.js';
import { OtlpExporter, type OtlpExportResult } from '../../../../lib/export/otlp/otlp-exporter.js';
import { ConnectionError, RefusedError, type OtlpSender, type Reply } from '../../../../lib/export/otlp/sender.js';
import { certificate, privateKey } from '../../../support/certificate.js';
import { deferred } from '../../../support/deferred.js';

type Handler = (request: IncomingMessage, response: ServerResponse, body: Buffer, attempt: number) => void;

const undos: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of undos.splice(0).toReversed()) await undo();
});

async function listen(server: Server | ReturnType<typeof createNetServer>): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undos.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** A receiver, and the bodies that it has got. */
async function receiver(handler: Handler) {
  const bodies: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    sockets.add(request.socket);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      bodies.push(body.toString());
      handler(request, response, body, bodies.length);
    });
  });
  return { bodies, sockets, url: `http://127.0.0.1:${await listen(server)}/v1/traces` };
}

interface Settings {
  timeout?: number;
  compression?: 'gzip' | 'none';
  proxy?: string;
  ca?: Buffer | undefined;
}

type EncodedName = EncodedSpan & { readonly name: string };

const encodedName = (name: string): EncodedName => ({
  name,
  estimatedSize: name.length,
  resource: {} as EncodedSpan['resource'],
  instrumentationScope: { name: 'test' },
});

/** Encodes spans as their names, and keeps what it gets back. */
class NameEncoder implements OtlpEncoder<EncodedName> {
  readonly contentType = 'application/x-protobuf';
  readonly releasedRequests: string[] = [];
  readonly releasedSpans: string[] = [];

  encodeSpan({ name }: { name: string }): EncodedName {
    return encodedName(name);
  }

  encodeRequest(spans: readonly EncodedName[]): Buffer {
    return Buffer.from(spans.map(({ name }) => name).join());
  }

  releaseRequest(request: Buffer): void {
    this.releasedRequests.push(request.toString());
  }

  releaseSpans(spans: readonly EncodedName[]): void {
    this.releasedSpans.push(...spans.map(({ name }) => name));
  }
}

/** An exporter whose messages are the names of the spans. */
function exporterTo(url: string, settings: Settings = {}) {
  const { compression = 'none', proxy, timeout = 5000 } = settings;
  const ca = 'ca' in settings ? settings.ca : Buffer.from(certificate);
  const connections = new HttpConnections({
    url: new URL(url),
    proxy: proxy === undefined ? undefined : new URL(proxy),
    tls: () => Promise.resolve({ ca }),
  });
  const contentType = 'application/x-protobuf';
  const encoder = new NameEncoder();
  const sender = new HttpSender(connections, { headers: { 'x-key': 'secret' }, contentType, compression });
  const exporter = new OtlpExporter(encoder, sender, timeout);
  undos.push(() => exporter.close());
  const send = (...names: string[]) =>
    new Promise<OtlpExportResult>((resolve) => {
      exporter.export(names.map(encodedName), resolve);
    });
  return { connections, encoder, exporter, send };
}

const status =
  (code: number, headers: Record<string, string> = {}): Handler =>
  (_request, response) =>
    void response.writeHead(code, headers).end();

describe('an export over HTTP', () => {
  it('arrives once, with its headers, on a connection that is used again', async () => {
    const seen: unknown[] = [];
    const { bodies, sockets, url } = await receiver((request, response) => {
      const { 'content-encoding': encoding, 'content-type': type, 'x-key': key } = request.headers;
      seen.push([request.method, request.url, type, key, encoding]);
      response.end();
    });
    const { send } = exporterTo(url);
    expect([await send('a', 'b'), await send('c')]).toEqual([{ code: 0 }, { code: 0 }]);
    expect(bodies).toEqual(['a,b', 'c']);
    expect(seen[0]).toEqual(['POST', '/v1/traces', 'application/x-protobuf', 'secret', undefined]);
    expect(sockets.size).toBe(1);
  });

  it('is compressed if that is wanted', async () => {
    let body = '';
    const { url } = await receiver((request, response, sent) => {
      body = `${request.headers['content-encoding']} ${gunzipSync(sent).toString()}`;
      response.end();
    });
    expect(await exporterTo(url, { compression: 'gzip' }).send('a')).toEqual({ code: 0 });
    expect(body).toBe('gzip a');
  });

  it.each([429, 502, 503, 504])('is tried again after status %i', async (code) => {
    const { bodies, url } = await receiver((request, response, body, attempt) =>
      status(attempt === 1 ? code : 200, { 'retry-after': '0' })(request, response, body, attempt),
    );
    expect(await exporterTo(url).send('a')).toEqual({ code: 0 });
    expect(bodies).toEqual(['a', 'a']);
  });

  it.each([400, 401, 403, 404, 500, 501])('is not tried again after status %i', async (code) => {
    const { bodies, url } = await receiver((_request, response) => void response.writeHead(code).end('no\nway'));
    const { error } = await exporterTo(url).send('a');
    expect(error).toMatchObject({ code, message: expect.stringMatching(new RegExp(`^status ${code} .*: no way$`)) });
    expect(bodies).toHaveLength(1);
  });

  it('is tried again when a connection fails', async () => {
    const { bodies, url } = await receiver((request, response, body, attempt) => {
      if (attempt === 1) request.socket.destroy();
      else response.end();
    });
    expect(await exporterTo(url).send('a')).toEqual({ code: 0 });
    expect(bodies).toEqual(['a', 'a']);
  });

  it('is sent again at once on a new connection if the receiver has closed an idle one, also when the application closes', async () => {
    const served = new WeakSet<object>();
    const { bodies, sockets, url } = await receiver((request, response) => {
      if (served.has(request.socket)) request.socket.destroy();
      else response.end();
      served.add(request.socket);
    });
    const { exporter, send } = exporterTo(url);
    expect(await send('a')).toEqual({ code: 0 });
    exporter.stopRetrying();
    expect(await send('b')).toEqual({ code: 0 });
    expect(bodies).toEqual(['a', 'b', 'b']);
    expect(sockets.size).toBe(2);
  });

  it('waits as long as the receiver asks, and gives up at once if that is too long', async () => {
    const { bodies, url } = await receiver(status(503, { 'retry-after': '3600' }));
    const started = performance.now();
    expect(await exporterTo(url, { timeout: 60_000 }).send('a')).toMatchObject({ code: 1, error: { code: 503 } });
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(bodies).toHaveLength(1);
  });

  it('does not follow a redirect, and says where it leads without its secrets', async () => {
    const location = 'https://user:password@other.example/v1/traces?key=secret';
    const { bodies, url } = await receiver(status(307, { location }));
    const { error } = await exporterTo(url).send('a');
    expect(error?.message).toBe(
      'status 307, a redirect to https://other.example/v1/traces, which is not followed: correct the endpoint',
    );
    expect(bodies).toHaveLength(1);
  });

  it('is split if it is too large, down to the span that is', async () => {
    const { bodies, url } = await receiver((_request, response, body) => {
      response.writeHead(body.includes('large') || body.length > 3 ? 413 : 200).end();
    });
    const result = await exporterTo(url).send('a', 'b', 'large', 'c');
    expect(result).toMatchObject({ code: 0, rejected: 1, error: { code: 413 } });
    expect(bodies).toEqual(['a,b,large,c', 'a,b', 'large,c', 'large', 'c']);
  });
});

it('a receiver that has accepted nothing is reported if it does not answer for two seconds, and later no more', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'performance', 'queueMicrotask', 'setImmediate'] });
  undos.push(() => jest.useRealTimers());
  const replies: ((reply: Reply) => void)[] = [];
  const sender: OtlpSender = { send: () => new Promise((resolve) => replies.push(resolve)), close: () => {} };
  const exporter = new OtlpExporter(new NameEncoder(), sender, 10_000);
  const reported: string[] = [];
  exporter.onUnreached = ({ message }) => void reported.push(message);
  const send = (name: string) =>
    new Promise<OtlpExportResult>((resolve) => {
      exporter.export([encodedName(name)], resolve);
    });

  const first = send('a');
  jest.advanceTimersByTime(1999);
  expect(reported).toEqual([]);
  jest.advanceTimersByTime(1);
  expect(reported).toEqual(['no answer for 2000 ms']);
  replies[0]?.({ type: 'accepted', message: '', rejectedSpans: 0, hasLeft: true });
  expect(await first).toEqual({ code: 0 });

  void send('b');
  jest.advanceTimersByTime(9000);
  expect(reported).toHaveLength(1);
  expect(jest.getTimerCount()).toBe(0);
});

it('a message that cannot be encoded fails, with the reason', async () => {
  const { bodies, url } = await receiver(status(200));
  const connections = new HttpConnections({ url: new URL(url), proxy: undefined, tls: undefined });
  const contentType = 'application/x-protobuf';
  const sender = new HttpSender(connections, { headers: {}, contentType, compression: 'none' });
  const encoder = new NameEncoder();
  encoder.encodeRequest = () => {
    throw new Error('no way');
  };
  const exporter = new OtlpExporter(encoder, sender, 5000);
  undos.push(() => exporter.close());
  const result = await new Promise<OtlpExportResult>((resolve) =>
    exporter.export(['a', 'b'].map(encodedName), resolve),
  );
  expect(result).toMatchObject({ code: 1, error: new Error('no way') });
  expect(bodies).toEqual([]);
});

describe('the memory of a message', () => {
  it('is given back when the message has left and is accepted, and that of its spans when their export is over', async () => {
    const { url } = await receiver(status(200));
    const { encoder, send } = exporterTo(url);
    await send('a', 'b');
    expect(encoder).toMatchObject({ releasedRequests: ['a,b'], releasedSpans: ['a', 'b'] });
  });

  it('is not given back when the message is refused: a part of it may still be under way', async () => {
    const { url } = await receiver(status(400));
    const { encoder, send } = exporterTo(url);
    await send('a', 'b');
    expect(encoder).toMatchObject({ releasedRequests: [], releasedSpans: ['a', 'b'] });
  });

  it('is not given back while a part of the message waits, though the receiver has accepted it', async () => {
    const server = createNetServer((socket) => {
      // It never reads, so that the rest of the message stays where it is.
      socket.pause();
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    });
    const { encoder, send } = exporterTo(`http://127.0.0.1:${await listen(server)}/v1/traces`);
    await send('x'.repeat(20_000_000));
    expect(encoder.releasedRequests).toEqual([]);
    expect(encoder.releasedSpans).toHaveLength(1);
  });
});

describe('a receiver that rejects spans', () => {
  const message = Buffer.from('too old');
  const partial = Buffer.concat([Buffer.from([0x08, 2, 0x12, message.length]), message]);
  const protobuf = Buffer.concat([Buffer.from([0x0a, partial.length]), partial]);
  const json = Buffer.from(JSON.stringify({ partialSuccess: { rejectedSpans: '2', errorMessage: 'too old' } }));

  it.each([
    ['application/x-protobuf', protobuf],
    ['application/json; charset=utf-8', json],
  ])('is believed, in %s', async (type, body) => {
    const { url } = await receiver(
      (_request, response) => void response.writeHead(200, { 'content-type': type }).end(body),
    );
    const { code, error, rejected } = await exporterTo(url).send('a', 'b', 'c');
    expect([code, rejected, error?.message]).toEqual([0, 2, 'the receiver has rejected 2: too old']);
  });

  it.each([
    ['more than it got', 200, Buffer.from([0x0a, 2, 0x08, 99])],
    ['all', 200, Buffer.from([0x0a, 2, 0x08, 1])],
  ])('is not believed beyond the spans that it got: %s', async (_name, code, body) => {
    const { url } = await receiver((_request, response) => void response.writeHead(code).end(body));
    expect(await exporterTo(url).send('a')).toMatchObject({ code: 1, error: { code: 'rejected' } });
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no number', Buffer.from([0x0a, 0])],
    ['half a message', Buffer.from([0x0a, 200])],
    ['an endless number', Buffer.alloc(20, 0xff)],
    ['a page', Buffer.from('<html>OK</html>')],
  ])('counts as having taken all where its answer is %s', async (_name, body) => {
    const { url } = await receiver((_request, response) => void response.end(body));
    expect(await exporterTo(url).send('a')).toEqual({ code: 0 });
  });
});

describe('a receiver that fails', () => {
  it.each<[string, (socket: Socket) => void]>([
    ['never answers', () => {}],
    ['dribbles its answer', (socket) => dribble(socket, 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n')],
    ['dribbles its head', (socket) => dribble(socket, 'HTTP/1.1 200 OK\r\nX: ')],
  ])('and %s holds no socket when the time is up', async (_name, answer) => {
    const closing: Promise<unknown>[] = [];
    const port = await listen(
      createNetServer((socket) => {
        const closed = new Promise((resolve) => socket.once('close', resolve));
        closing.push(closed);
        // The client may reset the connection.
        socket.on('error', () => {});
        socket.once('data', () => answer(socket));
      }),
    );
    const { connections, send } = exporterTo(`http://127.0.0.1:${port}`, { timeout: 300 });
    expect(await send('a')).toMatchObject({ code: 1, error: { code: 'ETIMEDOUT' } });
    expect(connections.isIdle).toBe(true);
    expect(closing).not.toHaveLength(0);
    await Promise.all(closing);
  });

  it.each<[string, string]>([
    ['cuts its answer', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123'],
    ['does not speak HTTP', 'SSH-2.0-OpenSSH_9\r\n'],
  ])('and %s has not taken the spans', async (_name, answer) => {
    const port = await listen(createNetServer((socket) => socket.once('data', () => void socket.end(answer))));
    const { send } = exporterTo(`http://127.0.0.1:${port}`, { timeout: 200 });
    expect(await send('a')).toMatchObject({ code: 1, error: expect.anything() });
  });

  it('and answers without end is cut', async () => {
    const port = await listen(
      createNetServer((socket) =>
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
          const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`;
          const more = () => {
            while (!socket.destroyed && socket.write(chunk));
          };
          socket.on('drain', more);
          more();
        }),
      ),
    );
    const { send } = exporterTo(`http://127.0.0.1:${port}`, { timeout: 400 });
    expect(await send('a')).toMatchObject({ code: 1 });
  });

  it('is given up at once when retrying stops, and the timers hold no process', async () => {
    const { bodies, url } = await receiver(status(503, { 'retry-after': '30' }));
    const { connections, exporter, send } = exporterTo(url, { timeout: 60_000 });
    const sent = send('a');
    while (bodies.length === 0 || !connections.isIdle) await new Promise((resolve) => setImmediate(resolve));
    exporter.stopRetrying();
    expect(await sent).toMatchObject({ code: 1, error: { code: 503 } });
    expect(bodies).toHaveLength(1);
  });

  it('does not keep shutdown() waiting beyond what is on the wire, and nothing is sent afterwards', async () => {
    const { bodies, url } = await receiver(status(503, { 'retry-after': '30' }));
    const { exporter, send } = exporterTo(url, { timeout: 60_000 });
    const sent = send('a');
    await exporter.shutdown();
    expect(await sent).toMatchObject({ code: 1 });
    expect(await send('b')).toMatchObject({ code: 1, error: { message: 'the exporter has shut down' } });
    expect(bodies).toEqual(['a']);
  });

  it('is reached again on a new connection after a mute one', async () => {
    let isMute = true;
    const { bodies, url } = await receiver((_request, response) => {
      if (!isMute) response.end();
    });
    const { send } = exporterTo(url, { timeout: 300 });
    expect(await send('a')).toMatchObject({ code: 1 });
    isMute = false;
    expect(await send('b')).toEqual({ code: 0 });
    expect(bodies).toEqual(['a', 'b']);
  });
});

describe('the wait before another attempt', () => {
  /** An exporter whose first attempt ends with this reply after a while, and the time until the second one, in milliseconds. */
  async function waitAfter(reply: Reply, attemptTime: number): Promise<number> {
    let endedAt = 0;
    let startedAgainAt = 0;
    const sender: OtlpSender = {
      async send() {
        if (endedAt > 0) {
          startedAgainAt = performance.now();
          return { type: 'accepted', hasLeft: true, rejectedSpans: 0, message: '' };
        }
        await setTimeout(attemptTime);
        endedAt = performance.now();
        return reply;
      },
      close() {},
    };
    const exporter = new OtlpExporter(new NameEncoder(), sender, 10_000);
    const result = await new Promise<OtlpExportResult>((resolve) => exporter.export([encodedName('a')], resolve));
    expect(result).toEqual({ code: 0 });
    return startedAgainAt - endedAt;
  }

  it('has begun with an attempt that found no receiver, but not with one that was answered', async () => {
    const waits = await Promise.all([
      waitAfter({ type: 'retryable', error: new ConnectionError('mute', 'ETIMEDOUT'), after: undefined }, 1300),
      waitAfter({ type: 'retryable', error: new RefusedError('status 503', 503), after: undefined }, 1300),
    ]);
    expect(waits[0]).toBeLessThan(400);
    expect(waits[1]).toBeGreaterThan(700);
  });
});

it('no attempt is made that has no time left: its failure would hide the reason of the last one', async () => {
  jest.spyOn(performance, 'now').mockReturnValue(0);
  undos.push(() => jest.restoreAllMocks());
  const error = new ConnectionError('no connection', 'ETIMEDOUT');
  const send = jest.fn(() => Promise.resolve<Reply>({ type: 'retryable', error, after: 50 }));
  const exporter = new OtlpExporter(new NameEncoder(), { send, close() {} }, 50);
  const result = await new Promise<OtlpExportResult>((resolve) => exporter.export([encodedName('a')], resolve));
  expect(result).toEqual({ code: 1, error });
  expect(send).toHaveBeenCalledTimes(1);
});

it('an exporter knows for how long a message has no answer', async () => {
  const { promise, resolve } = deferred<Reply>();
  const exporter = new OtlpExporter(new NameEncoder(), { send: () => promise, close() {} }, 10_000);
  expect(exporter.isSilentFor(0)).toBe(false);
  const exported = new Promise((done) => exporter.export([encodedName('a')], done));
  expect([exporter.isSilentFor(0), exporter.isSilentFor(5000)]).toEqual([true, false]);
  resolve({ type: 'accepted', hasLeft: true, rejectedSpans: 0, message: '' });
  await exported;
  expect(exporter.isSilentFor(0)).toBe(false);
});

describe('a proxy', () => {
  it('is sent the whole URL of a receiver over HTTP, with its credentials', async () => {
    const seen: unknown[] = [];
    const { url } = await receiver((request, response) => {
      seen.push([request.url, request.headers.host, request.headers['proxy-authorization']]);
      response.end();
    });
    const proxy = new URL(url);
    proxy.username = 'user';
    proxy.password = 'p%40ss';
    const { send } = exporterTo('http://otlp.example:4318/v1/traces', { proxy: proxy.href });
    expect(await send('a')).toEqual({ code: 0 });
    const basic = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
    expect(seen).toEqual([['http://otlp.example:4318/v1/traces', 'otlp.example:4318', basic]]);
  });

  it('that refuses a tunnel fails the export with a word', async () => {
    const proxy = createServer();
    proxy.on('connect', (_request, socket: Socket) => void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
    const port = await listen(proxy);
    const { send } = exporterTo('https://otlp.example/v1/traces', { proxy: `http://127.0.0.1:${port}`, timeout: 300 });
    const { error } = await send('a');
    expect(error?.message).toBe('the proxy refuses to connect: status 403');
  });
});

describe('a receiver over HTTPS', () => {
  async function secureReceiver() {
    const bodies: string[] = [];
    const server = createSecureServer({ cert: certificate, key: privateKey }, (request, response) => {
      request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()));
      request.on('end', () => response.end());
    });
    return { bodies, port: await listen(server) };
  }

  it('is reached with the certificates of the variables', async () => {
    const { bodies, port } = await secureReceiver();
    const { send } = exporterTo(`https://localhost:${port}/v1/traces`);
    expect([await send('a'), await send('b')]).toEqual([{ code: 0 }, { code: 0 }]);
    expect(bodies).toEqual(['a', 'b']);
  });

  it('is reached through the tunnel of a proxy, on a connection that is used again', async () => {
    const { bodies, port } = await secureReceiver();
    const tunnels: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request: IncomingMessage, client: Socket) => {
      tunnels.push(`${request.url} ${request.headers['proxy-authorization']}`);
      const target = connect(port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        target.pipe(client).pipe(target);
      });
      client.on('error', () => target.destroy());
      target.on('error', () => client.destroy());
    });
    const proxyUrl = `http://user:secret@127.0.0.1:${await listen(proxy)}`;
    const { send } = exporterTo(`https://localhost:${port}/v1/traces`, { proxy: proxyUrl });
    expect([await send('a'), await send('b')]).toEqual([{ code: 0 }, { code: 0 }]);
    expect(bodies).toEqual(['a', 'b']);
    expect(tunnels).toEqual([`localhost:${port} Basic ${Buffer.from('user:secret').toString('base64')}`]);
  });

  it('is not trusted without its certificate, also not through a proxy', async () => {
    const { bodies, port } = await secureReceiver();
    const { send } = exporterTo(`https://localhost:${port}/v1/traces`, { timeout: 300, ca: undefined });
    expect((await send('a')).error?.message).toMatch(/certificate/);
    expect(bodies).toEqual([]);
  });
});

/** Sends a byte every 20 ms, for ever. */
function dribble(socket: Socket, start: string): void {
  socket.write(start);
  const timer = setInterval(() => socket.write('x'), 20);
  socket.on('close', () => clearInterval(timer));
}
