import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  InterceptingCall,
  makeGenericClientConstructor,
  Metadata,
  credentials,
  ServerInterceptingCall,
  type Client,
  type ClientOptions,
  type Interceptor,
  type ServerInterceptor,
  type StatusObject,
} from '@grpc/grpc-js';
import { grpcTracingInterceptor } from 'nestjs-tracing';
import { firstValueFrom, from, lastValueFrom, NEVER, retry, take, type Observable } from 'rxjs';
import { callEcho, echoClient, kinds, type EchoCall, type Kind } from '../support/echo-calls.js';
import { EchoClient, EchoServer } from '../support/echo-server.js';
import { call, startGrpcClientApp, type GrpcClientApp } from '../support/grpc-client-app.js';
import type { Echo, Message } from '../support/grpc-app.js';

const NOT_FOUND = 5;

let grpc: GrpcClientApp;
let server: EchoServer;
let closedPort: number;
const clients: Client[] = [];
const servers: EchoServer[] = [];

beforeAll(async () => {
  grpc = await startGrpcClientApp();
  ({ server } = grpc);
  const listening = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => listening.once('listening', resolve));
  closedPort = (listening.address() as AddressInfo).port;
  await new Promise((resolve) => listening.close(resolve));
});

beforeEach(() => grpc.traces.reset());

afterAll(async () => {
  for (const client of clients) client.close();
  for (const own of servers) own.die();
  await grpc.close();
});

async function startServer(...options: Parameters<typeof EchoServer.start>): Promise<EchoServer> {
  const own = await EchoServer.start(...options);
  servers.push(own);
  return own;
}

function plain(address = server.address, options: ClientOptions = {}): Client {
  const client = echoClient(address, { interceptors: [grpcTracingInterceptor()], ...options });
  clients.push(client);
  return client;
}

/** Cancels a call when the server has received it. */
async function cancelled(echo: EchoCall): Promise<EchoCall> {
  const before = server.received.length;
  await server.until(() => server.received.length > before);
  echo.call.cancel();
  return echo;
}

const unserializable = {
  get text(): string {
    throw new Error('no text');
  },
};

/** The ways in which a call may fail, and the expected data of its span. */
const outcomes: [string, (kind: Kind) => EchoCall | Promise<EchoCall>, code: string, details: unknown][] = [
  ['an error', (kind) => callEcho(plain(), kind, { text: 'fail', count: NOT_FOUND }), 'NOT_FOUND', 'as you wish'],
  [
    'a deadline',
    (kind) => callEcho(plain(), kind, { text: 'hang' }, new Metadata(), { deadline: Date.now() + 50 }),
    'DEADLINE_EXCEEDED',
    expect.stringMatching(/^Deadline exceeded/),
  ],
  [
    'a deadline that is over already',
    (kind) => callEcho(plain(), kind, {}, new Metadata(), { deadline: 1 }),
    'DEADLINE_EXCEEDED',
    expect.stringMatching(/^Deadline exceeded/),
  ],
  ['cancel()', (kind) => cancelled(callEcho(plain(), kind, { text: 'hang' })), 'CANCELLED', 'Cancelled on client'],
  [
    'cancel() at once',
    (kind) => {
      const echo = callEcho(plain(), kind);
      echo.call.cancel();
      return echo;
    },
    'CANCELLED',
    'Cancelled on client',
  ],
  [
    'a closed port',
    (kind) => callEcho(plain(`127.0.0.1:${closedPort}`), kind),
    'UNAVAILABLE',
    expect.stringMatching(/^No connection established/),
  ],
  [
    'a name that does not resolve',
    (kind) => callEcho(plain('dns:///nobody.invalid:1'), kind),
    'UNAVAILABLE',
    expect.stringMatching(/^Name resolution failed/),
  ],
  [
    'a message that cannot be serialized',
    (kind) => callEcho(plain(), kind, unserializable),
    'INTERNAL',
    'Request message serialization failure: no text',
  ],
  [
    'an answer that cannot be parsed',
    (kind) => {
      const definition = structuredCloneOf(EchoClient.service);
      for (const method of Object.values(definition)) {
        method.responseDeserialize = () => {
          throw new Error('not that');
        };
      }
      const Unparsing = makeGenericClientConstructor(definition, 'Echo');
      const options = { interceptors: [grpcTracingInterceptor()] };
      const client = new Unparsing(server.address, credentials.createInsecure(), options);
      clients.push(client);
      return callEcho(client, kind, { text: 'a', count: 1 });
    },
    'INTERNAL',
    'Response message parsing error: not that',
  ],
];

function structuredCloneOf(service: typeof EchoClient.service): typeof EchoClient.service {
  return Object.fromEntries(Object.entries(service).map(([name, method]) => [name, { ...method }]));
}

describe.each(kinds)('%s', (kind, method) => {
  it('that ends well has its status, and where it went', async () => {
    const echo = callEcho(plain(), kind, { text: 'a', count: 2 });
    expect(await echo.ended).toBe('OK');
    const where = { 'server.address': '127.0.0.1', 'server.port': server.port };
    const peer = { 'network.peer.address': '127.0.0.1', 'network.peer.port': server.port };
    await grpc.traces.expect(call(method, 'OK', '', { attributes: { ...where, ...peer } }));
  });

  it.each(outcomes)('that ends by %s says so', async (_name, begin, code, details) => {
    const echo = await begin(kind);
    expect(await echo.ended).toBe(code);
    expect(echo.error?.details).toEqual(details);
    await grpc.traces.expect(call(method, code, echo.error!.details));
  });

  it('that the server breaks off has the status that the application is told', async () => {
    const own = await startServer();
    const echo = callEcho(plain(own.address), kind, { text: 'hang' });
    await own.until(() => own.received.length > 0);
    own.die();
    const code = await echo.ended;
    expect(code).not.toBe('OK');
    await grpc.traces.expect(call(method, code, echo.error!.details));
  });

  it('of a client that is closed fails in the hands of the caller', async () => {
    const client = plain();
    client.close();
    expect(() => callEcho(client, kind)).toThrow('Channel has been shut down');
    await grpc.traces.expect({
      name: `test.Echo/${method}`,
      kind: 'CLIENT',
      status: 'ERROR: Channel has been shut down',
      attributes: { 'error.type': 'Error', 'rpc.status_code': undefined },
      events: ['exception Error: Channel has been shut down'],
    });
  });
});

describe('a call of a Nest client', () => {
  const invoke: Record<Kind, (echo: Echo, message: Message) => Observable<Message>> = {
    unary: (echo, message) => echo.unary(message),
    serverStream: (echo, message) => echo.serverStream(message),
    clientStream: (echo, message) => echo.clientStream(from([message])),
    bidi: (echo, message) => echo.bidi(from([message])),
  };

  it.each(kinds)('has its status: %s', async (kind, method) => {
    await lastValueFrom(invoke[kind](grpc.echo, { text: 'a', count: 1 }));
    const refused = lastValueFrom(invoke[kind](grpc.echo, { text: 'fail', count: NOT_FOUND }));
    await expect(refused).rejects.toMatchObject({ code: NOT_FOUND, details: 'as you wish' });
    await grpc.traces.expect(call(method), call(method, 'NOT_FOUND', 'as you wish'));
  });

  it.each(kinds)('is cancelled by its unsubscription: %s', async (kind, method) => {
    const before = server.cancelled;
    const subscription = invoke[kind](grpc.echo, { text: 'hang' }).subscribe();
    const { length } = server.received;
    await server.until(() => server.received.length > length);
    subscription.unsubscribe();
    await grpc.traces.expect(call(method, 'CANCELLED', 'Cancelled on client'));
    await server.until(() => server.cancelled > before);
  });

  it.each<[string, (messages: Observable<Message>) => Promise<Message>]>([
    ['take(1)', (messages) => lastValueFrom(messages.pipe(take(1)))],
    ['firstValueFrom()', (messages) => firstValueFrom(messages)],
  ])('is cancelled by %s on a stream', async (_name, one) => {
    // The messages exceed the buffers, so that the server cannot have ended by itself.
    const text = 'x'.repeat(1000);
    await one(grpc.echo.serverStream({ text, count: 5000 }));
    await grpc.traces.expect(call('ServerStream', 'CANCELLED', 'Cancelled on client'));
  });

  it('is cancelled although its requests never end', async () => {
    const subscription = grpc.echo.bidi(NEVER).subscribe();
    const { length } = server.received;
    await server.until(() => server.received.length > length);
    subscription.unsubscribe();
    await grpc.traces.expect(call('Bidi', 'CANCELLED', 'Cancelled on client'));
  });

  it('is one of its own for each subscription and each retry', async () => {
    const answer = grpc.echo.unary({ text: 'fail', count: NOT_FOUND });
    await expect(lastValueFrom(answer.pipe(retry(2)))).rejects.toMatchObject({ code: NOT_FOUND });
    await expect(lastValueFrom(answer)).rejects.toMatchObject({ code: NOT_FOUND });
    await grpc.traces.expect(...Array.from({ length: 4 }, () => call('Unary', 'NOT_FOUND', 'as you wish')));
  });

  it('that is not subscribed to is none', async () => {
    const answer = grpc.echo.unary({ text: 'a' });
    await grpc.traces.expect();
    await lastValueFrom(answer);
    await grpc.traces.expect(call('Unary'));
  });
});

describe('a call with several attempts', () => {
  const retryPolicy = {
    maxAttempts: 4,
    initialBackoff: '0.01s',
    maxBackoff: '0.01s',
    backoffMultiplier: 1,
    retryableStatusCodes: ['UNAVAILABLE'],
  };
  const serviceConfig = JSON.stringify({ methodConfig: [{ name: [{ service: 'test.Echo' }], retryPolicy }] });
  const retrying = { 'grpc.service_config': serviceConfig };

  const traceparents = () => new Set(server.received.splice(0).map((it) => String(it.metadata.get('traceparent'))));

  it.each<[refusals: number, code: string, details: string]>([
    [2, 'OK', ''],
    [9, 'UNAVAILABLE', 'not now'],
  ])('by service config is one span, after %i refusals %s', async (refusals, code, details) => {
    server.received.splice(0);
    server.refusals = refusals;
    expect(await callEcho(plain(server.address, retrying), 'unary').ended).toBe(code);
    server.refusals = 0;
    expect(server.received).toHaveLength(Math.min(refusals + 1, 4));
    expect(traceparents().size).toBe(1);
    await grpc.traces.expect(call('Unary', code, details));
  });

  const retryOnce: Interceptor = (options, next) => {
    let message: unknown;
    let deliver: (message: unknown) => void;
    return new InterceptingCall(next(options), {
      start(metadata, listener, started) {
        started(metadata, {
          onReceiveMessage(answer, go) {
            message = answer;
            deliver = go;
          },
          onReceiveStatus(first, told) {
            const end = (status: StatusObject) => {
              deliver(message);
              told(status);
            };
            if (first.code === 0) return end(first);
            const again = next(options);
            again.start(metadata, { onReceiveMessage: (it: unknown) => (message = it), onReceiveStatus: end });
            again.sendMessage({});
            again.halfClose();
          },
        });
      },
    });
  };

  it('by an interceptor behind ours is one span', async () => {
    server.received.splice(0);
    server.refusals = 1;
    const interceptors = [grpcTracingInterceptor(), retryOnce];
    expect(await callEcho(plain(server.address, { interceptors }), 'unary').ended).toBe('OK');
    expect(server.received).toHaveLength(2);
    expect(traceparents().size).toBe(1);
    await grpc.traces.expect(call('Unary'));
  });

  it('by an interceptor in front of ours is a span for each', async () => {
    server.received.splice(0);
    server.refusals = 1;
    const interceptors = [retryOnce, grpcTracingInterceptor()];
    expect(await callEcho(plain(server.address, { interceptors }), 'unary').ended).toBe('OK');
    expect(traceparents().size).toBe(2);
    await grpc.traces.expect(call('Unary', 'UNAVAILABLE', 'not now'), call('Unary'));
  });
});

it('a call that waits for the server lasts from its start', async () => {
  const gone = await startServer();
  const { address } = gone;
  gone.die();
  const client = plain(address, { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.min_reconnect_backoff_ms': 100 });
  const failing = callEcho(client, 'unary');
  expect(await failing.ended).toBe('UNAVAILABLE');
  const waiting = callEcho(client, 'unary', {}, new Metadata({ waitForReady: true }));
  await startServer(address);
  expect(await waiting.ended).toBe('OK');
  await grpc.traces.expect(call('Unary', 'UNAVAILABLE', failing.error!.details), call('Unary'));
});

it('a server that says OK and sends no message has failed, as the application is told', async () => {
  const mute: ServerInterceptor = (_method, next) => {
    const own = new ServerInterceptingCall(next);
    own.sendMessage = (_message: unknown, sent: () => void) => sent();
    return own;
  };
  const own = await startServer(undefined, { interceptors: [mute] });
  const client = plain(own.address);
  for (const [kind, method] of [kinds[0], kinds[2]]) {
    const echo = callEcho(client, kind);
    await echo.ended;
    expect(echo.error).toMatchObject({ code: 12, details: 'No message received' });
    await grpc.traces.expect(call(method, 'UNIMPLEMENTED', 'No message received'));
  }
  // A stream may be empty.
  expect(await callEcho(client, 'serverStream').ended).toBe('OK');
  await grpc.traces.expect(call('ServerStream'));
});

describe('the server of a call', () => {
  const folder = mkdtempSync(join(tmpdir(), 'grpc-client-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  it.each<[target: string, address: string, peer: string, bind: string]>([
    ['127.0.0.1:PORT', '127.0.0.1', '127.0.0.1', '127.0.0.1:0'],
    ['ipv4:127.0.0.1:PORT', '127.0.0.1', '127.0.0.1', '127.0.0.1:0'],
    ['localhost:PORT', 'localhost', '127.0.0.1', '127.0.0.1:0'],
    ['dns:localhost:PORT', 'localhost', '127.0.0.1', '127.0.0.1:0'],
    ['dns:///localhost:PORT', 'localhost', '127.0.0.1', '127.0.0.1:0'],
    ['ipv6:[::1]:PORT', '::1', '::1', '[::1]:0'],
    ['[::1]:PORT', '::1', '::1', '[::1]:0'],
  ])('%s', async (target, address, peer, bind) => {
    const own = await startServer(bind);
    expect(await callEcho(plain(target.replace('PORT', String(own.port))), 'unary').ended).toBe('OK');
    const attributes = {
      'server.address': address,
      'server.port': own.port,
      'network.peer.address': peer,
      'network.peer.port': own.port,
    };
    await grpc.traces.expect(call('Unary', 'OK', '', { attributes }));
  });

  it.each(['unix:', 'unix://'])('%s/path', async (scheme) => {
    const socket = join(folder, `${scheme.length}.sock`);
    await startServer(`unix:${socket}`);
    expect(await callEcho(plain(scheme + socket), 'unary').ended).toBe('OK');
    const attributes = { 'server.address': socket, 'server.port': undefined, 'network.peer.address': socket };
    await grpc.traces.expect(call('Unary', 'OK', '', { attributes }));
  });

  it('that is not reached is known by its name alone', async () => {
    await callEcho(plain(`localhost:${closedPort}`), 'unary').ended;
    const attributes = {
      'server.address': 'localhost',
      'server.port': closedPort,
      'network.peer.address': undefined,
      'network.peer.port': undefined,
    };
    const { status, ...rest } = call('Unary', 'UNAVAILABLE', '', { attributes });
    const ofAnyText = expect.stringMatching(/^ERROR: /) as unknown as string;
    expect(status).toBe('ERROR');
    await grpc.traces.expect({ ...rest, status: ofAnyText });
  });
});
