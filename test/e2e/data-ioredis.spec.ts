/** Commands of ioredis over a real socket: of clients in dependency injection, and of those that only the channels show. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { SpanKind } from '@opentelemetry/api';
import { hasSubscribers } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { Redis, type RedisOptions } from 'ioredis';
import { Redis as Valkey } from 'iovalkey';
import { runOf, withDataApp, type DataApp, type DataAppOptions } from '../support/data-app.js';
import { freePort } from '../support/free-port.js';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';
import { command, exportedText, failedCommand } from '../support/redis-spans.js';
import { unhandledRejections } from '../support/unhandled-rejections.js';

let server: RedisServer;
const clients: Redis[] = [];

beforeAll(async () => {
  server = await startRedisServer();
});

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});

afterAll(() => server.stop());

function createClient(options: RedisOptions = {}): Redis {
  const client = new Redis({ host: '127.0.0.1', port: server.port, disconnectTimeout: 1, ...options });
  client.on('error', () => {});
  clients.push(client);
  return client;
}

/** Returns a script that the application has defined as a command. */
function script(client: Redis): (...args: string[]) => Promise<unknown> {
  client.defineCommand('secretly', { numberOfKeys: 1, lua: 'return "secret-value"' });
  const command = (client as unknown as Record<string, (...args: string[]) => Promise<unknown>>)['secretly']!;
  return (...args) => command.apply(client, args);
}

interface RedisAppOptions extends DataAppOptions {
  redis?: RedisOptions;
  /** False for a client that dependency injection does not show. */
  isProvided?: boolean;
}

async function withRedisApp(
  { redis, isProvided = true, ...options }: RedisAppOptions,
  use: (app: DataApp, client: Redis) => Promise<void>,
): Promise<void> {
  const client = createClient(redis);
  const providers = isProvided ? [{ provide: 'CACHE', useFactory: () => client }] : [];
  await withDataApp({ ...options, providers }, (app) => use(app, client));
}

const GET = () => command(server, 'GET', { attributes: { 'db.query.text': 'GET user:?' } });

describe.each([
  ['in dependency injection', true],
  ['that only the channels show', false],
])('a client %s', (_, isProvided) => {
  const withClient = (use: (app: DataApp, client: Redis) => Promise<void>, options: RedisAppOptions = {}) =>
    withRedisApp({ isProvided, ...options }, async (app, client) => {
      if (!options.redis?.lazyConnect && client.status !== 'ready') await once(client, 'ready');
      await use(app, client);
    });

  it.each<[string, (client: Redis) => unknown]>([
    ['a promise', (client) => client.get('user:7')],
    ['a callback', (client) => new Promise((resolve) => client.get('user:7', resolve))],
    ['buffers', (client) => client.getBuffer('user:7')],
    ['call()', (client) => client.call('GET', 'user:7')],
  ])('has one span for a command with %s, below its caller', async (_name, work) => {
    await withClient(async ({ run, traces }, client) => {
      await run(() => work(client));
      await traces.expect(runOf(GET()));
    });
  });

  it('records the prefix of an error, and no value in any attribute', async () => {
    await withClient(async ({ run, traces }, client) => {
      await client.set('user:secret-key', 'x');
      await expect(run(() => client.lpush('user:secret-key', 'secret-value'))).rejects.toThrow('WRONGTYPE');
      await expect(run(() => client.call('SECRETLY', 'secret-value'))).rejects.toThrow('secret-value');
      await run(() => client.eval('return "secret"', 1, 'secret-key', 'secret-value'));
      await traces.until((spans) => spans.length === 9);
      const text = exportedText(traces.take());
      expect(text).not.toContain('secret-');
      expect(text).toContain('"db.response.status_code":"WRONGTYPE"');
      expect(text).toContain('"db.query.text":"LPUSH user:?"');
    });
  });

  it.each<[name: string, text: string | undefined, work: (client: Redis) => unknown]>([
    ['FT.SEARCH', undefined, (client) => client.call('FT.SEARCH', 'idx', '@name:secret-value')],
    [
      'JSON.SET',
      isProvided ? 'JSON.SET user:?' : 'JSON.SET ?',
      (client) => client.call('JSON.SET', 'user:7', '$', '{"a":"secret-value"}'),
    ],
    [isProvided ? 'EVALSHA' : 'EVAL', undefined, (client) => script(client)('secret-key', 'secret-value')],
    ['FCALL', undefined, (client) => client.call('FCALL', 'secret-function', 1, 'secret-key', 'secret-value')],
    ['REDIS', undefined, (client) => client.call('set user:7 secret-value')],
    ['REDIS', undefined, (client) => client.call('secret-value@example.com')],
    ['PIPELINE', undefined, (client) => client.pipeline().call('FT.SEARCH', 'secret-value').get('user:7').exec()],
  ])('names %s, and shows nothing of its arguments', async (name, text, work) => {
    await withClient(async ({ run, traces }, client) => {
      await run(async () => {
        await Promise.resolve(work(client)).catch(() => {});
      });
      await traces.until((spans) => spans.length >= 3);
      const spans = traces.take();
      const names = spans.filter(({ kind }) => kind === SpanKind.CLIENT).map((span) => span.name.toUpperCase());
      if (name !== 'PIPELINE' || isProvided) expect(new Set(names)).toEqual(new Set([name]));
      expect(spans.find(({ kind }) => kind === SpanKind.CLIENT)?.attributes['db.query.text']).toBe(text);
      expect(exportedText(spans)).not.toContain('secret-');
    });
  });

  it('has one span for a transaction', async () => {
    await withClient(async ({ run, traces }, client) => {
      const work = () => client.multi().set('user:1', 'a').set('user:2', 'b').exec();
      expect(await run(work)).toEqual([
        [null, 'OK'],
        [null, 'OK'],
      ]);
      const name = isProvided ? 'MULTI SET' : 'MULTI';
      await traces.expect(runOf(command(server, name, { attributes: { 'db.operation.batch.size': 2 } })));
    });
  });

  it('has the failure of a transaction', async () => {
    await withClient(async ({ run, traces }, client) => {
      await expect(run(() => client.multi().set('a', 'b').call('SECRETLY').exec())).rejects.toThrow('EXECABORT');
      await traces.until((spans) => spans.length === 3);
      const failed = traces.spans.find(({ name }) => name.startsWith('MULTI'))!;
      expect(failed.attributes['error.type']).toBe('EXECABORT');
    });
  });

  it('mutes the commands of its own connection', async () => {
    await withClient(
      async ({ run, traces }, client) => {
        await run(async () => {
          await client.connect();
          await client.get('user:7');
        });
        await traces.expect(runOf(GET()));
      },
      { redis: { lazyConnect: true } },
    );
  });

  it('has no span outside of any span, and one for a trace of its own if the application wants that', async () => {
    for (const rootSpans of [false, true]) {
      await withClient(
        async ({ run, traces }, client) => {
          await client.get('user:7');
          await run(() => client.ping());
          await traces.expect(...(rootSpans ? [GET()] : []), runOf(command(server, 'PING')));
        },
        { tracing: { data: { rootSpans } } },
      );
    }
  });

  it('is not traced, if the application traces no Redis, or ignores the command', async () => {
    for (const data of [
      false,
      { redis: false },
      { ignore: 'GET' },
      { ignore: 'GET user:*' },
      { redis: { ignore: /^g/i } },
    ] as const) {
      await withClient(
        async ({ run, traces }, client) => {
          await run(() => client.get('user:7'));
          await traces.expect(runOf());
        },
        { tracing: { data } },
      );
    }
  });
});

describe('a client in dependency injection', () => {
  it('has a span for a command that waits for the connection, below its caller', async () => {
    await withRedisApp({ redis: { lazyConnect: true } }, async ({ run, traces }, client) => {
      await Promise.all(['a', 'b', 'c'].map((key) => run(() => client.get(`${key}:7`))));
      await traces.until((spans) => spans.length === 9);
      const spans = traces.take();
      const found = spans
        .filter(({ name }) => name === 'WorkController.work')
        .map((handler) =>
          spans
            .filter(({ parentSpanContext }) => parentSpanContext?.spanId === handler.spanContext().spanId)
            .map(({ name }) => name),
        );
      expect(found).toEqual([['GET'], ['GET'], ['GET']]);
    });
  });

  it('has a span for each command of a pipeline of ioredis’ own, below its caller', async () => {
    await withRedisApp({ redis: { enableAutoPipelining: true } }, async (app, client) => {
      if (client.status !== 'ready') await once(client, 'ready');
      const { run, traces } = app;
      const names = ['get', 'exists', 'incr', 'del'] as const;
      await Promise.all(
        names.map((name) =>
          run(async () => {
            await client.call(name, 'key');
            await client.call(name, 'key');
          }),
        ),
      );
      await traces.until((spans) => spans.length === 16);
      const spans = traces.take();
      const found = spans
        .filter(({ name }) => name === 'WorkController.work')
        .map((handler) =>
          spans
            .filter(({ parentSpanContext }) => parentSpanContext?.spanId === handler.spanContext().spanId)
            .map(({ name }) => name)
            .join(),
        );
      expect(found.toSorted()).toEqual(['DEL,DEL', 'EXISTS,EXISTS', 'GET,GET', 'INCR,INCR']);
    });
  });

  it.each<[string, (client: Redis) => Promise<unknown>, string, number | undefined]>([
    ['like commands', (client) => client.pipeline().set('a', '1').set('b', '2').exec(), 'PIPELINE SET', 2],
    ['different commands', (client) => client.pipeline().set('a', '1').get('b').exec(), 'PIPELINE', 2],
    [
      'a list of commands',
      (client) =>
        client
          .pipeline([
            ['set', 'a', '1'],
            ['get', 'a'],
          ])
          .exec(),
      'PIPELINE',
      2,
    ],
    ['one command', (client) => client.pipeline().set('a', '1').exec(), 'PIPELINE SET', undefined],
    ['no command', (client) => client.pipeline().exec(), 'PIPELINE', 0],
  ])('has one span for a pipeline of %s', async (_, work, name, size) => {
    await withRedisApp({}, async ({ run, traces }, client) => {
      await run(() => work(client));
      await traces.expect(runOf(command(server, name, { attributes: { 'db.operation.batch.size': size } })));
    });
  });

  it('has the first error of a pipeline, which the caller finds among the replies', async () => {
    await withRedisApp({}, async ({ run, traces }, client) => {
      await client.set('a', '1');
      const replies = await run(() => client.pipeline().get('a').lpush('a', 'x').exec());
      expect(replies).toEqual([
        [null, '1'],
        [expect.objectContaining({ name: 'ReplyError' }), undefined],
      ]);
      await traces.expect(runOf(failedCommand(server, 'PIPELINE', 'WRONGTYPE')));
    });
  });

  it.each<[string, (client: Redis) => unknown]>([
    ['command', (client) => client.lpush('text', 'x')],
    ['transaction', (client) => client.multi().call('SECRETLY').exec()],
  ])('leaves the rejection of a %s unhandled, as without tracing', async (_, work) => {
    const counts: number[] = [];
    for (const tracing of [{}, false] as const) {
      await withRedisApp({ tracing }, async ({ run }, client) => {
        await client.set('text', 'x');
        const reasons = await unhandledRejections(async () => {
          await run(() => void work(client));
          await client.get('text');
        });
        counts.push(reasons.length);
      });
    }
    expect(counts).toEqual([1, 1]);
  });

  it('handles the rejection of a transaction with a callback, as without tracing', async () => {
    await withRedisApp({}, async ({ run }, client) => {
      const reasons = await unhandledRejections(() =>
        run(() => new Promise((resolve) => client.multi().call('SECRETLY').exec(resolve))),
      );
      expect(reasons).toEqual([]);
    });
  });

  it('has a span for a command that finds no server', async () => {
    const port = await freePort();
    const redis = { port, lazyConnect: true, maxRetriesPerRequest: 1, retryStrategy: () => 1 };
    await withRedisApp({ redis }, async ({ run, traces }, client) => {
      await expect(run(() => client.get('user:7'))).rejects.toThrow('Reached the max retries');
      await traces.until((spans) => spans.some(({ name }) => name === 'GET'));
      const noServer = { 'server.port': port, 'error.type': 'MaxRetriesPerRequestError' };
      await traces.expect(runOf(command(server, 'GET', { status: 'ERROR', attributes: noServer })));
    });
  });

  it('ends the span of a command whose connection breaks', async () => {
    await withRedisApp({ redis: { retryStrategy: () => null } }, async ({ run, traces }, client) => {
      await expect(run(() => client.get('hang_up'))).rejects.toThrow('Connection is closed');
      await traces.until((spans) => spans.some(({ name }) => name === 'GET'));
      expect(traces.named('GET').status.code).toBe(2);
    });
  });

  it('gives the same results, in the same order, with and without tracing', async () => {
    const results: unknown[] = [];
    for (const tracing of [{}, false] as const) {
      await withRedisApp({ tracing }, async ({ run }, client) => {
        const order: string[] = [];
        const note = (name: string) => (value: unknown) => order.push(`${name} ${String(value)}`);
        await run(() =>
          Promise.all([
            client.set('a', '1').then(note('set')),
            client.get('a', (_error, value) => note('callback')(value)),
            client.incr('a').then(note('incr')),
            client.pipeline().get('a').call('SECRETLY').exec().then(note('pipeline')),
            client.get('a').then(note('get')),
          ]),
        );
        results.push(order);
      });
    }
    expect(results[0]).toEqual(results[1]);
  });

  it('has its duplicates instrumented as well, until the application has shut down', async () => {
    let duplicate: Redis | undefined;
    await withRedisApp({}, async ({ run, traces }, client) => {
      duplicate = client.duplicate({ lazyConnect: true });
      clients.push(duplicate);
      await Promise.all([run(() => duplicate!.get('user:7')), run(() => duplicate!.get('user:7'))]);
      await traces.expect(runOf(GET()), runOf(GET()));
      expect(Object.hasOwn(duplicate, 'sendCommand')).toBe(true);
    });
    expect(Object.hasOwn(duplicate!, 'sendCommand')).toBe(false);
  });

  it('is as it was after the application has shut down', async () => {
    const client = createClient();
    await once(client, 'ready');
    const before = Reflect.ownKeys(client);
    await withDataApp({ providers: [{ provide: 'CACHE', useFactory: () => client }] }, async () => {
      expect(Reflect.ownKeys(client)).not.toEqual(before);
      await Promise.resolve();
    });
    expect(Reflect.ownKeys(client).filter((key) => !before.includes(key))).toEqual([]);
    expect(await client.get('nothing')).toBeNull();
  });

  it('has one span for a command while two applications share it', async () => {
    const client = createClient();
    const providers = [{ provide: 'CACHE', useFactory: () => client }];
    await withDataApp({ providers }, async ({ traces }) => {
      await withDataApp({ providers }, async ({ run }) => {
        await run(() => client.get('user:7'));
        await traces.expect(runOf(GET()));
      });
    });
  });
});

describe('a client that only the channels show', () => {
  it('has no span for a command that ioredis sends in the context of another request', async () => {
    await withRedisApp(
      { isProvided: false, redis: { enableAutoPipelining: true } },
      async ({ run, traces }, client) => {
        if (client.status !== 'ready') await once(client, 'ready');
        await Promise.all([run(() => client.get('a')), run(() => client.get('b'))]);
        await traces.expect(runOf(), runOf());
      },
    );
  });

  it('has a span for a connection that fails', async () => {
    const port = await freePort();
    const redis = { port, lazyConnect: true, retryStrategy: () => null };
    await withRedisApp({ isProvided: false, redis }, async ({ run, traces }, client) => {
      await expect(run(() => client.connect())).rejects.toThrow();
      await traces.until((spans) => spans.length === 3);
      expect(traces.named(`connect 127.0.0.1:${port}`).status.code).toBe(2);
    });
  });
});

describe('a client of iovalkey, which has no channels', () => {
  function createValkey(options: object = {}): Redis {
    const client = new Valkey({ host: '127.0.0.1', port: server.port, disconnectTimeout: 1, ...options });
    clients.push(client as never);
    return client as never;
  }

  it('has one span for a command, a pipeline and a transaction', async () => {
    const client = createValkey();
    await withDataApp({ providers: [{ provide: 'CACHE', useFactory: () => client }] }, async ({ run, traces }) => {
      await run(async () => {
        await client.get('user:7');
        await client.pipeline().set('a', '1').set('b', '2').exec();
        await client.multi().set('a', '1').set('b', '2').exec();
      });
      const two = { attributes: { 'db.operation.batch.size': 2 } };
      const batches = ['PIPELINE SET', 'MULTI SET'].map((name) => command(server, name, two));
      await traces.expect(runOf(GET(), ...batches));
    });
  });

  it('connects outside of the request that needs it first', async () => {
    const client = createValkey({ lazyConnect: true });
    await withDataApp({ providers: [{ provide: 'CACHE', useFactory: () => client }] }, async ({ run, traces }) => {
      // The listener runs in the context of the socket.
      const written = new Promise((resolve) =>
        client.on('ready', () => void client.set('state', 'ready').then(resolve)),
      );
      await run(() => client.get('user:7'));
      await written;
      await traces.expect(runOf(GET()));
    });
  });
});

it('the channels have no subscriber after the application has shut down', async () => {
  const names = ['command', 'batch', 'connect'].flatMap((name) =>
    ['start', 'end', 'asyncStart', 'asyncEnd'].map((event) => `tracing:ioredis:${name}:${event}`),
  );
  await withDataApp({}, () => {
    expect(names.filter((name) => hasSubscribers(name))).not.toEqual([]);
    return Promise.resolve();
  });
  expect(names.filter((name) => hasSubscribers(name))).toEqual([]);
});

it('the span of the handler shows an error of Redis by its type alone', async () => {
  await withRedisApp({}, async ({ run, traces }, client) => {
    await expect(run(() => client.call('SECRETLY', 'secret-value'))).rejects.toThrow('secret-value');
    await traces.until((spans) => spans.length === 3);
    expect(exportedText(traces.take())).not.toContain('secret');
  });
});
