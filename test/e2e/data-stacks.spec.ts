/** An error of a database has the frames that it has without tracing, down to the code of the application that has made the query. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import knexOf from 'knex';
import { mongo } from 'mongoose';
import mssql from 'mssql';
import { createPool } from 'mysql2/promise';
import { createClient, createClientPool } from 'redis';
import { Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';
import { withDataApp } from '../support/data-app.js';
import { startMongoServer, type MongoServer } from '../support/mongo-server.js';
import { startMysqlServer, type MysqlServer } from '../support/mysql-server.js';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';
import { startTdsServer, type TdsServer } from '../support/tds-server.js';

let mongodb: MongoServer;
let mysql: MysqlServer;
let redis: RedisServer;
let tds: TdsServer;

beforeAll(async () => {
  [mongodb, mysql, redis, tds] = await Promise.all([
    startMongoServer(),
    startMysqlServer(),
    startRedisServer(),
    startTdsServer(),
  ]);
});

afterAll(async () => {
  await Promise.all([mongodb, mysql, redis, tds].map((server) => server.stop()));
});

interface Failing {
  /** The provider by which the library is found. */
  readonly provided: object;
  /** The length of stacks while it fails. @default that of Jest */
  readonly frames?: number;
  fail(): Promise<unknown>;
  close(): unknown;
}

const local = '127.0.0.1';
const TEXT = 'INSERT INTO duplicate VALUES (1)';

const libraries: Record<string, () => Promise<Failing>> = {
  async mysql2() {
    const pool = createPool({ host: local, port: mysql.port, user: 'u', database: 'shop' });
    await pool.query('SELECT 1');
    return { provided: pool, fail: () => pool.query(TEXT), close: () => pool.end() };
  },
  async 'a prepared statement of mysql2'() {
    const pool = createPool({ host: local, port: mysql.port, user: 'u', database: 'shop' });
    await pool.query('SELECT 1');
    return {
      provided: pool,
      async fail() {
        const connection = await pool.getConnection();
        const statement = await connection.prepare(TEXT);
        await statement.execute([]);
      },
      close: () => pool.end(),
    };
  },
  async 'Sequelize over mysql2'() {
    const options = { host: local, port: mysql.port, username: 'u', database: 'shop', logging: false } as const;
    const sequelize = new Sequelize({ dialect: 'mysql', ...options });
    await sequelize.query('SELECT 1');
    return { provided: sequelize, fail: () => sequelize.query(TEXT), close: () => sequelize.close() };
  },
  async 'Sequelize over mysql2, several calls below the application'() {
    const options = { host: local, port: mysql.port, username: 'u', database: 'shop', logging: false } as const;
    const sequelize = new Sequelize({ dialect: 'mysql', ...options });
    await sequelize.query('SELECT 1');
    const failBelow = async (calls: number): Promise<void> => {
      if (calls === 0) await sequelize.query(TEXT);
      else await failBelow(calls - 1);
    };
    return { provided: sequelize, frames: FRAMES, fail: () => failBelow(4), close: () => sequelize.close() };
  },
  async 'Knex over mysql2'() {
    const connection = { host: local, port: mysql.port, user: 'u', database: 'shop' };
    const knex = knexOf({ client: 'mysql2', connection, pool: { min: 0, max: 1 } });
    await knex.raw('SELECT 1');
    return { provided: knex, fail: async () => (await knex.raw(TEXT)) as unknown, close: () => knex.destroy() };
  },
  async 'Knex over tedious'() {
    const connection = { host: local, port: tds.port, user: 'u', password: 'p', database: 'shop' };
    const knex = knexOf({ client: 'mssql', connection, pool: { min: 0, max: 1 } });
    await knex.raw('SELECT 1');
    return { provided: knex, fail: async () => (await knex.raw(TEXT)) as unknown, close: () => knex.destroy() };
  },
  async mssql() {
    const options = { encrypt: false };
    const pool = new mssql.ConnectionPool({ server: local, port: tds.port, user: 'u', password: 'p', options });
    await pool.connect();
    return { provided: pool, fail: () => pool.request().query(TEXT), close: () => pool.close() };
  },
  async 'a transaction of mssql'() {
    const options = { encrypt: false };
    const pool = new mssql.ConnectionPool({ server: local, port: tds.port, user: 'u', password: 'p', options });
    await pool.connect();
    return { provided: pool, fail: () => pool.transaction().commit(), close: () => pool.close() };
  },
  async TypeORM() {
    const dataSource = await new DataSource({ type: 'sqljs' }).initialize();
    return {
      provided: dataSource,
      fail: () => dataSource.query('SELECT * FROM missing'),
      close: () => dataSource.destroy(),
    };
  },
  'better-sqlite3'() {
    // A stand-in, which throws where the real one does.
    const members = { transaction() {}, pragma() {}, inTransaction: false, loadExtension() {}, exec() {} };
    const statement = {
      run() {
        throw new Error('UNIQUE constraint failed');
      },
    };
    const database = { ...members, prepare: () => statement };
    return Promise.resolve({
      provided: database,
      fail: async () => Promise.resolve(database.prepare().run()),
      close() {},
    });
  },
  async mongodb() {
    const client = await new mongo.MongoClient(`mongodb://${local}:${mongodb.port}`).connect();
    return {
      provided: client,
      fail: () => client.db('shop').collection('forbidden').insertOne({}),
      close: () => client.close(),
    };
  },
  async 'mongodb, at once'() {
    const client = await new mongo.MongoClient(`mongodb://${local}:${mongodb.port}`).connect();
    return {
      provided: client,
      fail: () => client.db('shop').collection('cats').updateOne({}, { name: 'no operator' }),
      close: () => client.close(),
    };
  },
  async ioredis() {
    const client = new Redis({ host: local, port: redis.port });
    await client.get('a');
    return { provided: client, fail: () => client.call('SECRETLY'), close: () => client.disconnect() };
  },
  async 'a closed client of ioredis'() {
    const client = await closedClient();
    return { provided: client, fail: () => client.get('a'), close() {} };
  },
  async 'a pipeline of a closed client of ioredis'() {
    const client = await closedClient();
    const fail = async () => {
      const replies = await client.pipeline().get('a').exec();
      throw replies?.[0]?.[0] as Error;
    };
    return { provided: client, fail, close() {} };
  },
  async 'a closed pool of redis'() {
    const pool = createClientPool({ socket: { host: local, port: redis.port } });
    await pool.connect();
    await pool.close();
    return { provided: pool, fail: () => pool.get('a'), close() {} };
  },
  async 'a function that a pool of redis calls'() {
    const pool = createClientPool({ socket: { host: local, port: redis.port } });
    await pool.connect();
    const throwError = () => {
      throw new Error('of the application');
    };
    return { provided: pool, fail: () => pool.execute(throwError), close: () => pool.close() };
  },
  async redis() {
    const client = createClient({ socket: { host: local, port: redis.port } });
    await client.connect();
    return { provided: client, fail: () => client.sendCommand(['SECRETLY']), close: () => client.close() };
  },
};

async function closedClient(): Promise<Redis> {
  const client = new Redis({ host: local, port: redis.port });
  await client.quit();
  if (client.status !== 'end') await once(client, 'end');
  return client;
}
/** The number of frames of a stack in Node. That of Jest is greater. */
const FRAMES = 10;

/** Returns what an application sees of a failure. */
async function failHere(library: Failing): Promise<object> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = library.frames ?? stackTraceLimit;
  try {
    await library.fail();
    return {};
  } catch (error) {
    const { code, message, name, stack = '' } = error as Error & { code?: unknown };
    const frames = stack.split('\n').filter((line) => !line.includes('node:internal'));
    return { code, message, name, frames: frames.slice(0, 5), isHere: stack.includes('failHere') };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

describe.each(Object.entries(libraries))('%s', (_, start) => {
  it('fails with the same error and the same frames', async () => {
    const seen: object[] = [];
    for (const tracing of [false, {}] as const) {
      const library = await start();
      const providers = [{ provide: 'DB', useFactory: () => library.provided }];
      await withDataApp({ providers, tracing }, async ({ run, traces }) => {
        seen.push(await run(() => failHere(library)));
        if (tracing) await traces.until((spans) => spans.length >= 2);
      });
      await library.close();
    }
    const [without, traced] = seen;
    expect(without).toHaveProperty('message');
    expect(traced).toEqual(without);
  });
});
