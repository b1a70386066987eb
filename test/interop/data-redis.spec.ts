/** node-redis with a real Redis, a real Sentinel and a real cluster: what the server of the other tests cannot do. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient, createClientPool, createCluster, createSentinel } from 'redis';
import { childrenOfRequests } from '../support/children-of-requests.js';
import { runOf, withDataApp, type DataApp, type DataAppOptions } from '../support/data-app.js';
import { command, exportedText } from '../support/redis-spans.js';
import type { Broker } from './support/brokers.js';
import { startRedis, startRedisCluster, startSentinel, type RedisCluster } from './support/databases.js';

const PASSWORD = 'pw-secret';
const NAMES = ['GET', 'EXISTS', 'INCR', 'DEL'];

let server: Broker;
/** Closes what a test has opened. */
const closings: (() => unknown)[] = [];

beforeAll(async () => {
  server = await startRedis(['--requirepass', PASSWORD]);
}, 60_000);

afterEach(async () => {
  for (const close of closings.splice(0)) await close();
});

afterAll(() => server.stop());

function newClient(options: object = {}) {
  const client = createClient({ socket: { host: '127.0.0.1', port: server.port }, password: PASSWORD, ...options });
  client.on('error', () => {});
  closings.push(() => client.isOpen && client.destroy());
  return client;
}

async function withApp(use: (app: DataApp) => Promise<void>, options: DataAppOptions = {}): Promise<void> {
  await withDataApp(options, use);
}

describe('a client', () => {
  it('has no span for its own commands, with a password', async () => {
    await withApp(async ({ run, traces }) => {
      const client = newClient({ database: 2 });
      await run(async () => {
        await client.connect();
        await client.get('user:7');
      });
      await traces.expect(runOf(command(server, 'GET', { attributes: { 'db.namespace': '2' } })));
    });
  });

  it.each([
    ['over one connection', true],
    ['while they wait for the connection', false],
  ])('has the commands below their own request, %s', async (_, isConnected) => {
    await withApp(async (app) => {
      const client = newClient();
      if (isConnected) await client.connect();
      let connected: Promise<unknown> | undefined;
      const work = async (name: string) => {
        if (!isConnected) connected ??= client.connect();
        await Promise.all([client.sendCommand([name, 'counter']), client.sendCommand([name, 'counter'])]);
        await client.sendCommand([name, 'counter']);
      };
      const found = await childrenOfRequests(app, NAMES, work, 12);
      await connected;
      expect(found).toEqual(NAMES.map((name) => `${name},${name},${name}`).toSorted());
    });
  });

  it.each<[string, string, (client: ReturnType<typeof newClient>) => unknown]>([
    ['WRONGTYPE', 'LPUSH', (client) => client.lPush('text', 'secret-value')],
    ['NOSCRIPT', 'EVALSHA', (client) => client.evalSha('0'.repeat(40), { arguments: ['secret-value'] })],
    ['ERR', 'INCR', (client) => client.incr('text')],
    ['BUSYGROUP', 'XGROUP', (client) => client.xGroupCreate('stream', 'group', '$', { MKSTREAM: true })],
  ])('has the code %s of an error', async (code, name, work) => {
    await withApp(async ({ run, traces }) => {
      const client = newClient();
      await client.connect();
      await client.set('text', 'secret-value');
      await client.xGroupCreate('stream', 'group', '$', { MKSTREAM: true }).catch(() => {});
      await expect(run(() => work(client))).rejects.toThrow(code);
      await traces.until((spans) => spans.length === 3);
      expect(exportedText(traces.spans)).not.toContain('secret');
      const span = traces.spans.find(({ attributes }) => attributes['db.operation.name'] === name);
      expect(span?.attributes).toMatchObject({ 'error.type': code, 'db.response.status_code': code });
    });
  });

  it('never exports a value, a script or a password, whatever the command', async () => {
    const commands: string[][] = [
      ['SET', 'user:secret-1', 'secret-2', 'EX', '10'],
      ['GETSET', 'user:secret-1', 'secret-2'],
      ['HSET', 'cart:secret-1', 'secret-2', 'secret-3'],
      ['SISMEMBER', 'tags:secret-1', 'secret-2'],
      ['GEOADD', 'places:secret-1', '1', '1', 'secret-2'],
      ['PUBLISH', 'secret-1', 'secret-2'],
      ['EVAL', 'return {KEYS[1], ARGV[1], "secret-0"}', '1', 'secret-1', 'secret-2'],
      ['EVAL', 'return redis.error_reply("OOPS secret-1")', '0'],
      ['ACL', 'SETUSER', 'someone', '>secret-1'],
      ['CONFIG', 'SET', 'masterauth', 'secret-1'],
      ['AUTH', 'secret-1'],
      ['secret-1', 'secret-2'],
      ['SET', 'secret-1'],
      ['ECHO', 'secret-1'],
    ];
    await withApp(async ({ run, traces }) => {
      const client = newClient();
      await client.connect();
      for (const words of commands) {
        await run(() => client.sendCommand(words)).catch(() => {});
        await run(() => client.multi().addCommand(words).exec()).catch(() => {});
        await run(() => client.multi().addCommand(words).execAsPipeline()).catch(() => {});
      }
      await traces.until((spans) => spans.length >= commands.length * 3 * 2 + 2);
      expect(exportedText(traces.take())).not.toContain('secret-');
    });
  });
});

describe('a pool of one client', () => {
  it('has its commands and transactions below their own request', async () => {
    const socket = { host: '127.0.0.1', port: server.port };
    const pool = createClientPool({ socket, password: PASSWORD }, { minimum: 1, maximum: 1 });
    pool.on('error', () => {});
    await withApp(
      async (app) => {
        await pool.connect();
        const work = async (name: string) => {
          await pool.execute(async (client) => {
            await client.sendCommand([name, 'counter']);
            await client.sendCommand([name, 'counter']);
          });
          await pool.multi().get('a').get('b').exec();
        };
        const found = await childrenOfRequests(app, NAMES, work, 12);
        expect(found).toEqual(NAMES.map((name) => `${name},${name},MULTI GET`).toSorted());
      },
      { providers: [{ provide: 'POOL', useFactory: () => pool }] },
    );
    await pool.close();
  });
});

describe('Sentinel and cluster', () => {
  let master: Broker;
  let sentinel: Broker;
  let nodes: RedisCluster;

  beforeAll(async () => {
    [master, nodes] = await Promise.all([startRedis(), startRedisCluster()]);
    sentinel = await startSentinel(master);
  }, 60_000);

  afterAll(async () => {
    await Promise.all([sentinel.stop(), nodes.stop()]);
    await master.stop();
  });

  it('have one span for a command, with the address of its server', async () => {
    await withApp(async ({ run, traces }) => {
      const client = createSentinel({ name: 'shop', sentinelRootNodes: [{ host: '127.0.0.1', port: sentinel.port }] });
      client.on('error', () => {});
      await client.connect();
      closings.push(() => client.destroy());
      await run(() => client.get('user:7'));
      await traces.expect(runOf(command(master, 'GET')));
    });
    await withApp(async ({ run, traces }) => {
      const cluster = createCluster({ rootNodes: nodes.ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })) });
      cluster.on('error', () => {});
      await cluster.connect();
      closings.push(() => cluster.destroy());
      await run(async () => {
        for (const key of ['a', 'b', 'c']) await cluster.set(key, 'secret-value');
      });
      await traces.until((spans) => spans.length === 5);
      const sets = traces.take().filter(({ name }) => name === 'SET');
      const ports = new Set(sets.map(({ attributes }) => attributes['server.port']));
      expect(sets).toHaveLength(3);
      expect([...ports].every((port) => nodes.ports.includes(Number(port)))).toBe(true);
    });
  });
});
