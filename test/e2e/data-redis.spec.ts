/** Commands of node-redis over a real socket, also behind a pool of one client. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SpanStatusCode } from '@opentelemetry/api';
import { hasSubscribers } from 'node:diagnostics_channel';
import { createClient, createClientPool, type RedisClientType } from 'redis';
import { childrenOfRequests } from '../support/children-of-requests.js';
import { runOf, withDataApp, type DataApp, type DataAppOptions } from '../support/data-app.js';
import { freePort } from '../support/free-port.js';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';
import { command, exportedText, failedCommand } from '../support/redis-spans.js';
import { unhandledRejections } from '../support/unhandled-rejections.js';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedisServer();
});

afterAll(() => server.stop());

const socket = () => ({ host: '127.0.0.1', port: server.port });

interface RedisAppOptions extends DataAppOptions {
  isConnected?: boolean;
  /** True for a client in dependency injection. */
  isProvided?: boolean;
  options?: object;
}

async function withRedisApp(
  { isConnected = true, isProvided = false, options, ...rest }: RedisAppOptions,
  use: (app: DataApp, client: RedisClientType) => Promise<void>,
): Promise<void> {
  const client = createClient({ socket: socket(), ...options }) as RedisClientType;
  client.on('error', () => {});
  const providers = isProvided ? [{ provide: 'REDIS', useFactory: () => client }] : [];
  try {
    await withDataApp({ providers, ...rest }, async (app) => {
      if (isConnected) await client.connect();
      await use(app, client);
    });
  } finally {
    if (client.isOpen) client.destroy();
  }
}

function createPool() {
  return createClientPool({ socket: socket() }, { minimum: 1, maximum: 1 });
}

type Pool = ReturnType<typeof createPool>;

async function withPoolApp(isProvided: boolean, use: (app: DataApp, pool: Pool) => Promise<void>): Promise<void> {
  const pool = createPool();
  pool.on('error', () => {});
  const providers = isProvided ? [{ provide: 'POOL', useFactory: () => pool }] : [];
  await withDataApp({ providers }, async (app) => {
    await pool.connect();
    await use(app, pool);
  });
  await pool.close();
}

const GET = () => command(server, 'GET', { attributes: { 'db.query.text': 'GET user:?' } });
const batch = (name: string, size: number | undefined) =>
  command(server, name, { attributes: { 'db.operation.batch.size': size } });

describe('a client', () => {
  it.each<[string, (client: RedisClientType) => Promise<unknown>]>([
    ['a method', (client) => client.get('user:7')],
    ['sendCommand()', (client) => client.sendCommand(['get', 'user:7'])],
  ])('has one span for a command by %s, below its caller', async (_, work) => {
    await withRedisApp({}, async ({ run, traces }, client) => {
      await run(() => work(client));
      await traces.expect(runOf(GET()));
    });
  });

  it('has one span for each command that is sent in the same round of the event loop', async () => {
    await withRedisApp({}, async ({ run, traces }, client) => {
      await run(() => Promise.all([client.get('user:7'), client.set('user:8', 'secret')]));
      await traces.expect(runOf(GET(), command(server, 'SET', { attributes: { 'db.query.text': 'SET user:?' } })));
    });
  });

  it.each([
    ['FT.SEARCH', undefined, ['FT.SEARCH', 'idx', '@name:secret-value']],
    ['JSON.SET', 'JSON.SET ?', ['JSON.SET', 'user:7', '$', '{"a":"secret-value"}']],
    ['redis', undefined, ['set user:7 secret-value']],
    ['redis', undefined, ['secret-value@example.com', 'secret-value']],
  ] as const)('names %s, and shows nothing of its arguments', async (name, text, args) => {
    await withRedisApp({}, async ({ run, traces }, client) => {
      await run(() => client.sendCommand([...args]).catch(() => {}));
      await traces.until((spans) => spans.length === 3);
      expect(traces.named(name).attributes['db.query.text']).toBe(text);
      expect(exportedText(traces.take())).not.toContain('secret-');
    });
  });

  it('has a span for a command that waits for the connection, below its caller', async () => {
    await withRedisApp({ isConnected: false }, async ({ run, traces }, client) => {
      const connected = client.connect();
      await run(() => client.get('user:7'));
      await connected;
      await traces.expect(runOf(GET()));
    });
  });

  it('records the prefix of an error, and no value in any attribute', async () => {
    await withRedisApp({}, async ({ run, traces }, client) => {
      await client.set('user:secret-key', 'x');
      await expect(run(() => client.lPush('user:secret-key', 'secret-value'))).rejects.toThrow('WRONGTYPE');
      await expect(run(() => client.sendCommand(['SECRETLY', 'secret-value']))).rejects.toThrow('secret-value');
      await run(() => client.eval('return "secret"', { keys: ['secret-key'], arguments: ['secret-value'] }));
      await traces.until((spans) => spans.length === 9);
      const text = exportedText(traces.take());
      expect(text).not.toContain('secret-');
      expect(text).toContain('"db.response.status_code":"WRONGTYPE"');
    });
  });

  it.each<[string, (client: RedisClientType) => Promise<unknown>, string, number | undefined]>([
    ['transaction', (client) => client.multi().set('a', '1').get('a').exec(), 'MULTI', 2],
    ['transaction of one command', (client) => client.multi().set('a', '1').exec(), 'MULTI', undefined],
    ['pipeline', (client) => client.multi().set('a', '1').get('a').execAsPipeline(), 'PIPELINE', 2],
  ])('has one span for a %s', async (_, work, name, size) => {
    await withRedisApp({}, async ({ run, traces }, client) => {
      await run(() => work(client));
      await traces.expect(runOf(batch(name, size)));
    });
  });

  it('in dependency injection names the command of a transaction and of a pipeline whose commands are alike', async () => {
    await withRedisApp({ isProvided: true }, async ({ run, traces }, client) => {
      await run(async () => {
        await client.multi().set('a', '1').set('b', '2').exec();
        await client.withTypeMapping({}).multi().set('a', '1').exec();
        await client.multi().set('a', '1').set('b', '2').execAsPipeline();
        await client.multi().set('a', '1').get('a').exec();
      });
      const [two, one] = [2, undefined];
      await traces.expect(
        runOf(batch('MULTI SET', two), batch('MULTI SET', one), batch('PIPELINE SET', two), batch('MULTI', two)),
      );
    });
  });

  it.each<[string, (client: RedisClientType) => Promise<unknown>, string, string]>([
    ['transaction with an error', (client) => client.multi().lPush('text', 'x').exec(), 'MULTI', 'WRONGTYPE'],
    ['transaction that is refused', (client) => client.multi().addCommand(['SECRETLY']).exec(), 'MULTI', 'ERR'],
    ['pipeline with an error', (client) => client.multi().lPush('text', 'x').execAsPipeline(), 'PIPELINE', 'WRONGTYPE'],
  ])('has the failure of a %s', async (_, work, name, prefix) => {
    await withRedisApp({}, async ({ run, traces }, client) => {
      await client.set('text', 'x');
      await expect(run(() => work(client))).rejects.toThrow();
      await traces.expect(runOf(failedCommand(server, name, prefix)));
    });
  });

  it('records the number of the database', async () => {
    await withRedisApp({ options: { database: 3 } }, async ({ run, traces }, client) => {
      await run(() => client.get('user:7'));
      await traces.expect(runOf(command(server, 'GET', { attributes: { 'db.namespace': '3' } })));
    });
  });

  it('has no span outside of any span, and none for commands of its own', async () => {
    await withRedisApp({ isConnected: false }, async ({ run, traces }, client) => {
      await run(() => client.connect());
      await client.get('user:7');
      await traces.expect(runOf());
    });
  });

  it('never starts a trace with a check of the connection, or with a command that waits for data', async () => {
    await withRedisApp({ tracing: { data: { rootSpans: true } } }, async ({ run, traces }, client) => {
      await client.ping();
      await client.blPop('queue', 0.001);
      await client.get('user:7');
      await run(() => client.blPop('queue', 0.001));
      await traces.expect(GET(), runOf(command(server, 'BLPOP')));
    });
  });

  it('has spans for a closed client and for a connection that fails', async () => {
    const port = await freePort();
    const options = { socket: { port, host: '127.0.0.1', reconnectStrategy: false } };
    await withRedisApp({ isConnected: false, options }, async ({ run, traces }, client) => {
      await expect(run(() => client.get('user:7'))).rejects.toThrow('The client is closed');
      await expect(run(() => client.connect())).rejects.toThrow();
      await traces.until((spans) => spans.length === 6);
      expect(traces.named('GET').attributes['error.type']).toBe('ClientClosedError');
      expect(traces.named(`connect 127.0.0.1:${port}`).attributes['error.type']).toBe('ECONNREFUSED');
    });
  });

  it('gives the same results, in the same order, and the same unhandled rejections, with and without tracing', async () => {
    const results: unknown[] = [];
    for (const tracing of [{}, false] as const) {
      await withRedisApp({ tracing }, async ({ run }, client) => {
        await client.set('text', 'x');
        const order: string[] = [];
        const note = (name: string) => (value: unknown) => order.push(`${name} ${String(value)}`);
        const reasons = await unhandledRejections(async () => {
          await run(() => {
            void client.lPush('text', 'y');
            void client.multi().lPush('text', 'y').exec();
            return Promise.all([
              client.set('a', '1').then(note('set')),
              client.incr('a').then(note('incr')),
              client.multi().get('a').exec().then(note('multi')),
              client.get('a').then(note('get')),
            ]);
          });
          await client.get('a');
        });
        // The channel makes rejections arrive some turns of the microtask queue later.
        results.push([order, reasons.map(String).toSorted()]);
      });
    }
    expect(results[0]).toEqual(results[1]);
    expect((results[0] as unknown[][])[1]).toHaveLength(2);
  });

  it('is not traced, if the application traces no Redis, or ignores the command', async () => {
    for (const data of [false, { redis: false }, { ignore: 'GET' }] as const) {
      await withRedisApp({ tracing: { data } }, async ({ run, traces }, client) => {
        await run(() => client.get('user:7'));
        await traces.expect(runOf());
      });
    }
  });
});

/** Runs the same work in several requests at once. Returns the commands below each of them. */
const commandsOfRequests = (app: DataApp, work: (name: string) => Promise<unknown>, count: number) =>
  childrenOfRequests(app, ['GET', 'EXISTS', 'INCR', 'DEL'], work, count);

describe('a pool of one client', () => {
  // An async function: in the realm of the test runner, a pool does not wait for the promise that a channel returns.
  const work = (pool: Pool, name: string) =>
    pool.execute(async (client) => {
      await client.sendCommand([name, 'slow']);
      await client.sendCommand([name, 'key']);
    });

  it('has the spans of execute() below their own request', async () => {
    await withPoolApp(true, async (app, pool) => {
      const found = await commandsOfRequests(app, (name) => work(pool, name), 8);
      expect(found).toEqual(['DEL,DEL', 'EXISTS,EXISTS', 'GET,GET', 'INCR,INCR']);
    });
  });

  it('has the spans of transactions below their own request', async () => {
    await withPoolApp(true, async (app, pool) => {
      const found = await commandsOfRequests(app, () => pool.multi().get('slow').get('key').exec(), 4);
      expect(found).toEqual(['MULTI GET', 'MULTI GET', 'MULTI GET', 'MULTI GET']);
    });
  });

  it('records how long a command has waited for the client', async () => {
    await withPoolApp(true, async ({ run, traces }, pool) => {
      await run(() => Promise.all([pool.multi().get('slow').exec(), pool.multi().get('a').exec()]));
      await traces.until((spans) => spans.length === 4);
      const waits = traces.spans.map(({ attributes }) => attributes['db.client.connection.wait_time'] as number);
      expect(waits.filter((seconds) => seconds > 0.02)).toHaveLength(1);
    });
  });

  it('has a span with the error of a command that gets no client', async () => {
    const pool = createClientPool({ socket: socket() }, { minimum: 1, maximum: 1, acquireTimeout: 10 });
    await pool.connect();
    await withDataApp({ providers: [{ provide: 'POOL', useFactory: () => pool }] }, async ({ run, traces }) => {
      await run(async () => {
        const first = pool.get('slow');
        await expect(pool.get('user:7')).rejects.toThrow('Timeout waiting for a client');
        await first;
      });
      await traces.until((spans) => spans.length === 4);
      // Both may begin in the same millisecond, which is as exact as the clock of the SDK is.
      const failed = traces.named(`connect 127.0.0.1:${server.port}`);
      expect(failed.status).toEqual({ code: SpanStatusCode.ERROR });
      expect(failed.parentSpanContext?.spanId).toBe(traces.named('GET').parentSpanContext?.spanId);
      expect(failed.attributes).toMatchObject({ 'db.system.name': 'redis', 'error.type': 'TimeoutError' });
      expect(failed.attributes).not.toHaveProperty('db.operation.name');
    });
    await pool.close();
  });

  it('that only the channels show has no span for a command that has waited for the client', async () => {
    await withPoolApp(false, async (app, pool) => {
      const found = await commandsOfRequests(app, (name) => work(pool, name), 2);
      // The client was idle for the first of them only.
      expect(found.filter((names) => names === '')).toHaveLength(3);
      expect(found.at(-1)).toMatch(/^(\w+),\1$/);
    });
  });

  it('is as it was after the application has shut down', async () => {
    const client = createClient({ socket: socket() });
    const clientSelf = (client as unknown as Record<string, object>)['_self']!;
    const ownKeys = Reflect.ownKeys(clientSelf);
    await withDataApp({ providers: [{ provide: 'REDIS', useFactory: () => client }] }, async () => {
      expect(Reflect.ownKeys(clientSelf)).toContain('_executeMulti');
      await Promise.resolve();
    });
    expect(Reflect.ownKeys(clientSelf)).toEqual(ownKeys);
    const pool = createPool();
    const self = (pool as unknown as Record<string, object>)['_self']!;
    const before = [Reflect.ownKeys(pool), Reflect.ownKeys(self)];
    await withDataApp({ providers: [{ provide: 'POOL', useFactory: () => pool }] }, async () => {
      expect(Reflect.ownKeys(self)).toContain('execute');
      await Promise.resolve();
    });
    expect([Reflect.ownKeys(pool), Reflect.ownKeys(self)]).toEqual(before);
  });
});

it('the channels have no subscriber after the application has shut down', async () => {
  const names = ['command', 'batch', 'connect'].map((name) => `tracing:node-redis:${name}:start`);
  await withDataApp({}, () => {
    expect(names.filter((name) => hasSubscribers(name))).toEqual(names);
    return Promise.resolve();
  });
  expect([...names, 'node-redis:pool:connection-wait'].filter((name) => hasSubscribers(name))).toEqual([]);
});
