import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Metadata, status, type Client, type ClientOptions } from '@grpc/grpc-js';
import { grpcTracingInterceptor } from 'nestjs-tracing';
import { from, lastValueFrom, materialize, toArray, type Observable } from 'rxjs';
import { callEcho, echoClient, kinds, type EchoCall, type Kind } from '../support/echo-calls.js';
import { EchoServer } from '../support/echo-server.js';
import { startGrpcClientApp, type GrpcClientApp } from '../support/grpc-client-app.js';
import type { Echo, Message } from '../support/grpc-app.js';

let server: EchoServer;
let traced: GrpcClientApp;

beforeAll(async () => {
  server = await EchoServer.start();
  traced = await startGrpcClientApp({
    server,
    tracing: { grpc: { messageEvents: true, responseMetadata: ['x-header'] } },
  });
});
afterAll(() => traced.close());

/** Everything an application can see of a call, except for times. */
async function seen(echo: EchoCall) {
  await echo.ended;
  await new Promise(setImmediate);
  const { error, events } = echo;
  const withoutTimes = (text: string) => text.replace(/(Deadline exceeded) after .*/, '$1');
  return {
    events: events.map(withoutTimes),
    status: echo.status && {
      ...echo.status,
      details: withoutTimes(echo.status.details),
      metadata: ownOf(echo.status.metadata),
    },
    error: error && {
      class: error.constructor.name,
      message: withoutTimes(error.message),
      code: error.code,
      keys: Object.keys(error),
      metadata: ownOf(error.metadata),
      // The stack has to name the place from which the call was made.
      caller: error.stack?.includes('for call at') && error.stack.includes('callEcho'),
    },
    peer: echo.call.getPeer(),
  };
}

const ownOf = (metadata: Metadata) =>
  Object.fromEntries(Object.entries(metadata.toJSON()).filter(([key]) => key.startsWith('x-')));

const ways: [string, (client: Client, kind: Kind) => EchoCall | Promise<EchoCall>][] = [
  ['that ends well', (client, kind) => callEcho(client, kind, { text: 'a', count: 3 })],
  ['that fails', (client, kind) => callEcho(client, kind, { text: 'fail', count: status.ABORTED })],
  [
    'whose deadline passes',
    (client, kind) => callEcho(client, kind, { text: 'hang' }, new Metadata(), { deadline: Date.now() + 200 }),
  ],
  [
    'that is cancelled',
    async (client, kind) => {
      const { length } = server.received;
      const echo = callEcho(client, kind, { text: 'hang' });
      await server.until(() => server.received.length > length);
      echo.call.cancel();
      return echo;
    },
  ],
  [
    'that is cancelled twice, at once',
    (client, kind) => {
      const echo = callEcho(client, kind);
      echo.call.cancel();
      echo.call.cancel();
      return echo;
    },
  ],
];

/** Expects the spans of these calls: without them, the test would compare two calls without tracing. */
async function expectTraced(...methods: string[]): Promise<void> {
  await traced.traces.until((spans) => spans.length >= methods.length);
  expect(traced.traces.take().map(({ name }) => name)).toEqual(methods.map((method) => `test.Echo/${method}`));
}

describe.each(kinds)('a call of %s', (kind, method) => {
  const withClient = async <T>(options: ClientOptions, use: (client: Client) => Promise<T>): Promise<T> => {
    const client = echoClient(server.address, options);
    try {
      // The events of a call also depend on whether the connection is open, so this call opens it.
      await callEcho(client, 'unary').ended;
      return await use(client);
    } finally {
      client.close();
    }
  };

  it.each(ways)('%s is the same with tracing and without', async (_name, make) => {
    const observe = async (client: Client) => seen(await make(client, kind));
    const without = await withClient({}, observe);
    expect(without.events.length).toBeGreaterThan(0);
    const tracing = grpcTracingInterceptor({ messageEvents: true });
    traced.traces.reset();
    expect(await withClient({ interceptors: [tracing] }, observe)).toEqual(without);
    await expectTraced('Unary', method);
  });

  it('by Nest is the same with tracing and without', async () => {
    const plain = await startGrpcClientApp({ server: await EchoServer.start(), tracing: false });
    const notifications = (echo: Echo, message: Message) => {
      const streams = kind === 'clientStream' || kind === 'bidi';
      const answer: Observable<Message> = streams ? echo[kind](from([message, message])) : echo[kind](message);
      return lastValueFrom(answer.pipe(materialize(), toArray()));
    };
    traced.traces.reset();
    for (const message of [
      { text: 'a', count: 3 },
      { text: 'fail', count: status.ABORTED },
    ]) {
      const without = await notifications(plain.echo, message);
      const withTracing = await notifications(traced.echo, message);
      expect(withTracing).toEqual(without);
      const [errorWith, errorWithout] = [withTracing, without].map((it) => it.at(-1) as { error?: object });
      expect(Object.keys(errorWith?.error ?? {})).toEqual(Object.keys(errorWithout?.error ?? {}));
    }
    await expectTraced(method, method);
    await plain.close();
  });
});
