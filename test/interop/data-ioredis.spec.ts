/** ioredis with a real Redis, a real Sentinel and a real cluster: what the server of the other tests cannot do. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { Apps } from '../support/apps.js';
import { childrenOfRequests } from '../support/children-of-requests.js';
import { runOf, withDataApp, type DataApp, type DataAppOptions } from '../support/data-app.js';
import { command, exportedText } from '../support/redis-spans.js';
import type { Broker } from './support/brokers.js';
import { startRedis, startRedisCluster, startSentinel, type RedisCluster } from './support/databases.js';

const PASSWORD = 'pw-secret';
const NAMES = ['GET', 'EXISTS', 'INCR', 'DEL'];

let server: Broker;
const clients: (Redis | Cluster)[] = [];

beforeAll(async () => {
  server = await startRedis(['--requirepass', PASSWORD]);
}, 60_000);

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});

afterAll(() => server.stop());

function createClient(options: RedisOptions = {}): Redis {
  return keep(
    new Redis({ host: '127.0.0.1', port: server.port, password: PASSWORD, disconnectTimeout: 1, ...options }),
  );
}

function keep<T extends Redis | Cluster>(client: T): T {
  client.on('error', () => {});
  clients.push(client);
  return client;
}

/** Runs an application with a client among its providers. */
async function withClient<T extends object>(
  client: T,
  use: (app: DataApp, client: T) => Promise<void>,
  options: DataAppOptions = {},
): Promise<void> {
  await withDataApp({ ...options, providers: [{ provide: 'REDIS', useFactory: () => client }] }, (app) =>
    use(app, client),
  );
}

describe('a client', () => {
  it('has no span for its own commands, with a password', async () => {
    await withClient(createClient({ lazyConnect: true, db: 2 }), async ({ run, traces }, client) => {
      await run(() => client.get('user:7'));
      await traces.expect(runOf(command(server, 'GET', { attributes: { 'db.namespace': '2' } })));
    });
  });

  it.each<[string, RedisOptions]>([
    ['over one connection', {}],
    ['while they wait for the connection', { lazyConnect: true }],
    ['in the pipelines of ioredis', { enableAutoPipelining: true }],
  ])('has the commands below their own request, %s', async (_, options) => {
    await withClient(createClient(options), async (app, client) => {
      const work = async (name: string) => {
        await Promise.all([client.call(name, 'counter'), client.call(name, 'counter')]);
        await client.call(name, 'counter');
      };
      const found = await childrenOfRequests(app, NAMES, work, 12);
      expect(found).toEqual(NAMES.map((name) => `${name},${name},${name}`).toSorted());
    });
  });

  it('has one span for a command that is sent again on a new connection', async () => {
    await withClient(createClient({ retryStrategy: () => 1 }), async (app, client) => {
      const killer = createClient();
      await client.set('user:7', 'Ada');
      const id = await client.client('ID');
      const closed = once(client, 'close');
      await killer.client('KILL', 'ID', id);
      await closed;
      const found = await childrenOfRequests(app, NAMES, (name) => client.call(name, 'other'), 4);
      expect(found).toEqual(NAMES.toSorted());
    });
  });

  it('has one span for a pipeline and for a transaction, below their own request', async () => {
    await withClient(createClient(), async (app, client) => {
      const work = async (name: string) => {
        await client.pipeline().call(name, 'counter').call(name, 'counter').exec();
        await client.multi().call(name, 'counter').call(name, 'counter').exec();
      };
      const found = await childrenOfRequests(app, ['GET', 'INCR', 'DEL'], work, 6);
      expect(found).toEqual(['DEL', 'GET', 'INCR'].map((name) => `PIPELINE ${name},MULTI ${name}`));
    });
  });

  it('has no error for a transaction that a watched key has stopped', async () => {
    await withClient(createClient(), async ({ run, traces }, client) => {
      const other = createClient();
      const result = await run(async () => {
        await client.watch('watched');
        await other.set('watched', 'x');
        return client.multi().set('watched', 'y').exec();
      });
      expect(result).toBeNull();
      await traces.until((spans) => spans.some(({ name }) => name === 'MULTI SET'));
      expect(traces.named('MULTI SET').status.code).toBe(0);
    });
  });

  it.each<[string, string, (client: Redis) => unknown]>([
    ['WRONGTYPE', 'LPUSH', (client) => client.lpush('text', 'secret-value')],
    ['NOSCRIPT', 'EVALSHA', (client) => client.evalsha('0'.repeat(40), 0, 'secret-value')],
    ['ERR', 'INCR', (client) => client.incr('text')],
    ['NOPERM', 'ACL', (client) => client.acl('DELUSER', 'nobody')],
    ['BUSYGROUP', 'XGROUP', (client) => client.xgroup('CREATE', 'stream', 'group', '$', 'MKSTREAM')],
  ])('has the code %s of an error', async (code, name, work) => {
    const admin = createClient();
    await admin.set('text', 'secret-value');
    await admin.xgroup('CREATE', 'stream', 'group', '$', 'MKSTREAM').catch(() => {});
    await admin.acl('SETUSER', 'limited', 'on', `>${PASSWORD}`, '~*', '+@all', '-acl');
    await withClient(createClient({ username: 'limited' }), async ({ run, traces }, client) => {
      await expect(run(() => work(client))).rejects.toThrow(code);
      await traces.until((spans) => spans.length === 3);
      expect(exportedText(traces.spans)).not.toContain('secret');
      const span = traces.named(name);
      expect(span.attributes).toMatchObject({ 'error.type': code, 'db.response.status_code': code });
    });
  });

  it('never exports a value, a script or a password, whatever the command', async () => {
    const commands: string[][] = [
      ['SET', 'user:secret-1', 'secret-2', 'EX', '10'],
      ['MSET', 'user:secret-1', 'secret-2', 'user:secret-3', 'secret-4'],
      ['GETSET', 'user:secret-1', 'secret-2'],
      ['HSET', 'cart:secret-1', 'secret-2', 'secret-3'],
      ['ZADD', 'rank:secret-1', '1', 'secret-2'],
      ['SADD', 'tags:secret-1', 'secret-2'],
      ['SISMEMBER', 'tags:secret-1', 'secret-2'],
      ['GEOADD', 'places:secret-1', '1', '1', 'secret-2'],
      ['XADD', 'log:secret-1', '*', 'secret-2', 'secret-3'],
      ['PUBLISH', 'secret-1', 'secret-2'],
      ['EVAL', 'return {KEYS[1], ARGV[1], "secret-0"}', '1', 'secret-1', 'secret-2'],
      ['EVAL', 'return redis.error_reply("OOPS secret-1")', '0'],
      ['ACL', 'SETUSER', 'someone', '>secret-1'],
      ['CONFIG', 'SET', 'masterauth', 'secret-1'],
      ['AUTH', 'secret-1'],
      ['secret-1', 'secret-2'],
      ['SET', 'secret-1'],
      ['CLIENT', 'SETNAME', 'secret-1'],
      ['ECHO', 'secret-1'],
    ];
    await withClient(createClient(), async ({ run, traces }, client) => {
      for (const [name = '', ...args] of commands) {
        await run(() => client.call(name, ...args)).catch(() => {});
        await run(() =>
          client
            .pipeline()
            .call(name, ...args)
            .exec(),
        ).catch(() => {});
        await run(() =>
          client
            .multi()
            .call(name, ...args)
            .exec(),
        ).catch(() => {});
      }
      await traces.until((spans) => spans.length >= commands.length * 3 * 2 + 2);
      expect(exportedText(traces.take())).not.toContain('secret-');
    });
  });

  it('has no span for messages that arrive, and one for the command that publishes them', async () => {
    const subscriber = createClient();
    await withClient(createClient(), async ({ run, traces }, client) => {
      await subscriber.subscribe('orders');
      const arrived = once(subscriber, 'message');
      await run(() => client.publish('orders', 'secret-value'));
      expect(await arrived).toEqual(['orders', 'secret-value']);
      await traces.expect(runOf(command(server, 'PUBLISH')));
    });
  });
});

describe('a client that finds its server by Sentinel', () => {
  let master: Broker;
  let sentinel: Broker;

  beforeAll(async () => {
    master = await startRedis();
    sentinel = await startSentinel(master);
  }, 60_000);

  afterAll(async () => {
    await sentinel.stop();
    await master.stop();
  });

  it('has the address of the server, and no span for what it asks the Sentinel', async () => {
    const sentinels = [{ host: '127.0.0.1', port: sentinel.port }];
    const client = keep(new Redis({ sentinels, name: 'shop', lazyConnect: true }));
    await withClient(client, async ({ run, traces }) => {
      await run(async () => {
        // The address is not known before there is a connection.
        await client.connect();
        await client.get('user:7');
      });
      await traces.expect(runOf(command(master, 'GET')));
    });
  });
});

describe('a cluster', () => {
  let nodes: RedisCluster;

  beforeAll(async () => {
    nodes = await startRedisCluster();
  }, 60_000);

  afterAll(() => nodes.stop());

  function createCluster(options: object = {}): Cluster {
    const seeds = nodes.ports.map((port) => ({ host: '127.0.0.1', port }));
    return keep(new Cluster(seeds, { lazyConnect: true, ...options }));
  }

  it('has one span for a command, without the address of a node', async () => {
    await withClient(createCluster(), async ({ run, traces }, cluster) => {
      await run(async () => {
        for (const key of ['a', 'b', 'c']) await cluster.set(`${key}:1`, 'secret-value');
      });
      const set = command(server, 'SET', {
        attributes: { 'db.namespace': undefined, 'server.address': undefined, 'server.port': undefined },
      });
      await traces.expect(runOf(set, set, set));
    });
  });

  it.each([
    ['one by one', {}],
    ['in the pipelines of ioredis', { enableAutoPipelining: true }],
  ])('has the commands below their own request, %s', async (_, options) => {
    await withClient(createCluster(options), async (app, cluster) => {
      const work = (name: string) => Promise.all(['a', 'b', 'c'].map((key) => cluster.call(name, `${key}:counter`)));
      const found = await childrenOfRequests(app, NAMES, work, 12);
      expect(found).toEqual(NAMES.map((name) => `${name},${name},${name}`).toSorted());
    });
  });

  it('has one span for a pipeline and for a transaction', async () => {
    await withClient(createCluster(), async ({ run, traces }, cluster) => {
      await run(async () => {
        await cluster.pipeline().set('{a}1', '1').set('{a}2', '2').exec();
        await cluster.multi().set('{a}1', '1').set('{a}2', '2').exec();
      });
      await traces.until((spans) => spans.length === 4);
      expect(traces.take().map(({ name }) => name)).toEqual(
        expect.arrayContaining(['PIPELINE SET', 'MULTI SET', 'WorkController.work']),
      );
    });
  });

  it.each([
    ['one by one', {}],
    ['in the pipelines of ioredis', { enableAutoPipelining: true }],
  ])('has one span without an error for a command that has to go to another node, sent %s', async (_, options) => {
    const cluster = createCluster({ ...options, lazyConnect: false });
    await once(cluster, 'ready');
    const clients = nodes.ports.map((port) => keep(new Redis({ host: '127.0.0.1', port })));
    const ids = await Promise.all(clients.map((client) => client.cluster('MYID')));
    const slot = await clients[0]!.cluster('KEYSLOT', 'moved');
    const owner = Math.floor(slot / Math.ceil(16_384 / ids.length));
    const assignTo = async (id: unknown) => {
      for (const client of clients) await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', id as string);
    };
    await assignTo(ids[(owner + 1) % ids.length]);
    try {
      await withClient(cluster, async (app) => {
        await Promise.all(['GET', 'EXISTS'].map((name) => app.run(() => cluster.call(name, 'moved'))));
        await app.traces.until((spans) => spans.length === 6);
        const statuses = app.traces.take().map(({ name, status }) => `${name} ${status.code}`);
        expect(statuses.filter((each) => /^(?:GET|EXISTS) \d$/.test(each)).toSorted()).toEqual(['EXISTS 0', 'GET 0']);
      });
    } finally {
      await assignTo(ids[owner]);
    }
  });

  it('leaves the spans to the instrumentations of OpenTelemetry, and so does one of node-redis', async () => {
    const single = await startRedis();
    const apps = new Apps();
    const args = [single.port, nodes.ports[0]!].map(String);
    const { stdout, stderr } = await apps.run('data-redis-neighbours', { args });
    apps.remove();
    await single.stop();
    expect(stderr).toBe('');
    const instrumentations = ['ioredis', 'redis'].map((name) => `@opentelemetry/instrumentation-${name}`);
    expect(new Set(JSON.parse(stdout) as string[])).toEqual(new Set([...instrumentations, 'app']));
  });

  it('of which one node is asked for a key of another has the code of the error', async () => {
    const client = keep(new Redis({ host: '127.0.0.1', port: nodes.ports[0]! }));
    await withClient(client, async ({ run, traces }) => {
      const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
      const results = await run(() => Promise.allSettled(keys.map((key) => client.get(key))));
      const moved = results.filter(({ status }) => status === 'rejected');
      expect(moved.length).toBeGreaterThan(0);
      await traces.until((spans) => spans.length === keys.length + 2);
      const codes = traces.take().flatMap(({ attributes }) => attributes['db.response.status_code'] ?? []);
      expect(codes).toEqual(moved.map(() => 'MOVED'));
    });
  });
});
