/** ORMs and query builders with a real PostgreSQL and a real MariaDB: one span for each query, below its own request. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/postgresql';
import { sql } from 'drizzle-orm';
import { drizzle as drizzleMysql } from 'drizzle-orm/mysql2';
import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres';
import knexOf from 'knex';
import { Kysely, MysqlDialect, PostgresDialect, sql as kyselySql, type Dialect } from 'kysely';
import { createPool as createCallbackPool } from 'mysql2';
import { createPool } from 'mysql2/promise';
import { Client, Pool } from 'pg';
import { Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';
import { childrenOfRequests } from '../support/children-of-requests.js';
import { withDataApp } from '../support/data-app.js';
import type { PostgresServer } from '../support/postgres-server.js';
import { startMariadb, startPostgres, type MariadbServer } from './support/databases.js';

const REQUESTS = ['1', '2', '3', '4', '5', '6'];
const DATABASE = 'postgres';

let postgres: PostgresServer;
let mariadb: MariadbServer;

beforeAll(async () => {
  [postgres, mariadb] = await Promise.all([startPostgres(), startMariadb()]);
  const client = new Client(pg());
  await client.connect();
  const pool = createPool({ ...mysql(), database: undefined });
  await pool.query(`CREATE DATABASE ${DATABASE}`);
  await pool.end();
  const mysqlPool = createPool(mysql());
  for (const id of REQUESTS) {
    await client.query(`CREATE VIEW mine_${id} AS SELECT 1 AS n`);
    await mysqlPool.query(`CREATE VIEW mine_${id} AS SELECT 1 AS n`);
  }
  await client.end();
  await mysqlPool.end();
}, 120_000);

afterAll(async () => {
  await Promise.all([postgres.stop(), mariadb.stop()]);
});

const pg = () => ({ host: '127.0.0.1', port: postgres.port, user: postgres.user, database: DATABASE });
const mysql = () => ({ host: '127.0.0.1', port: mariadb.port, user: 'root', database: DATABASE });

/** A library over a pool of one connection. */
interface Orm {
  /** The provider by which the library finds its connections. */
  readonly provided: object;
  query(text: string): Promise<unknown>;
  /** Makes two queries in one transaction. */
  transaction(text: string): Promise<unknown>;
  close(): Promise<unknown>;
}

const orms: readonly (readonly [name: string, start: () => Promise<Orm>])[] = [
  ['TypeORM over pg', () => typeorm({ type: 'postgres', ...pg(), username: pg().user, poolSize: 1 })],
  ['TypeORM over mysql2', () => typeorm({ type: 'mysql', ...mysql(), username: 'root', poolSize: 1 })],
  ['Sequelize over pg', () => sequelize('postgres', pg())],
  ['Sequelize over mysql2', () => sequelize('mysql', mysql())],
  ['Knex over pg', () => knex('pg', pg())],
  ['Knex over mysql2', () => knex('mysql2', mysql())],
  ['MikroORM over pg', mikroOrm],
  ['Kysely over pg', () => kysely(new PostgresDialect({ pool: new Pool({ ...pg(), max: 1 }) }))],
  [
    'Kysely over mysql2',
    () => kysely(new MysqlDialect({ pool: createCallbackPool({ ...mysql(), connectionLimit: 1 }) })),
  ],
  [
    'Drizzle over pg',
    () => {
      const pool = new Pool({ ...pg(), max: 1 });
      const database = drizzlePg(pool);
      return Promise.resolve({
        provided: database,
        query: (text) => database.execute(sql.raw(text)),
        transaction: (text) =>
          database.transaction(async (tx) => {
            await tx.execute(sql.raw(text));
            await tx.execute(sql.raw(text));
          }),
        close: () => pool.end(),
      });
    },
  ],
  [
    'Drizzle over mysql2',
    () => {
      const pool = createPool({ ...mysql(), connectionLimit: 1 });
      const database = drizzleMysql(pool);
      return Promise.resolve({
        provided: database,
        query: (text) => database.execute(sql.raw(text)),
        transaction: (text) =>
          database.transaction(async (tx) => {
            await tx.execute(sql.raw(text));
            await tx.execute(sql.raw(text));
          }),
        close: () => pool.end(),
      });
    },
  ],
];

async function typeorm(options: object): Promise<Orm> {
  const dataSource = await new DataSource(options as never).initialize();
  return {
    provided: dataSource,
    query: (text) => dataSource.query(text),
    transaction: (text) =>
      dataSource.transaction(async (manager) => {
        await manager.query(text);
        await manager.query(text);
      }),
    close: () => dataSource.destroy(),
  };
}

function sequelize(dialect: 'postgres' | 'mysql', { user, ...options }: ReturnType<typeof pg>): Promise<Orm> {
  const instance = new Sequelize({ dialect, ...options, username: user, logging: false, pool: { max: 1 } });
  return Promise.resolve({
    provided: instance,
    query: (text) => instance.query(text),
    transaction: (text) =>
      instance.transaction(async (transaction) => {
        await instance.query(text, { transaction });
        await instance.query(text, { transaction });
      }),
    close: () => instance.close(),
  });
}

function knex(client: string, connection: object): Promise<Orm> {
  const instance = knexOf({ client, connection, pool: { min: 0, max: 1 } });
  return Promise.resolve({
    provided: instance,
    query: async (text) => (await instance.raw(text)) as unknown,
    transaction: (text) =>
      instance.transaction(async (trx) => {
        await trx.raw(text);
        await trx.raw(text);
      }),
    close: () => instance.destroy(),
  });
}

function kysely(dialect: Dialect): Promise<Orm> {
  const database = new Kysely<unknown>({ dialect });
  const query = (text: string, executor: Kysely<unknown> = database) => kyselySql.raw(text).execute(executor);
  return Promise.resolve({
    provided: database,
    query: (text) => query(text),
    transaction: (text) =>
      database.transaction().execute(async (trx) => {
        await query(text, trx);
        await query(text, trx);
      }),
    close: () => database.destroy(),
  });
}

async function mikroOrm(): Promise<Orm> {
  const { database, host, port, user } = pg();
  const orm = await MikroORM.init({
    entities: [],
    clientUrl: `postgres://${user}@${host}:${port}/${database}`,
    pool: { min: 0, max: 1 },
    discovery: { disableDynamicFileAccess: true, warnWhenNoEntities: false },
  });
  return {
    provided: orm,
    query: (text) => orm.em.getConnection().execute(text),
    transaction: (text) =>
      orm.em.fork().transactional(async (em) => {
        await em.execute(text);
        await em.execute(text);
      }),
    close: () => orm.close(),
  };
}

describe.each(orms)('%s', (_, start) => {
  it('has the queries below their own request, behind a pool of one', async () => {
    const orm = await start();
    await withDataApp({ providers: [{ provide: 'DB', useFactory: () => orm.provided }] }, async (app) => {
      const work = async (id: string) => {
        await Promise.all([orm.query(`SELECT * FROM mine_${id}`), orm.query(`SELECT * FROM mine_${id}`)]);
        await orm.query(`SELECT * FROM mine_${id}`);
      };
      const found = await childrenOfRequests(app, REQUESTS, work, REQUESTS.length * 3);
      expect(found).toEqual(REQUESTS.map((id) => Array.from({ length: 3 }, () => `SELECT mine_${id}`).join()));
    });
    await orm.close();
  });

  it('has the transactions below their own request, behind a pool of one', async () => {
    const orm = await start();
    await withDataApp({ providers: [{ provide: 'DB', useFactory: () => orm.provided }] }, async (app) => {
      const work = (id: string) => orm.transaction(`SELECT * FROM mine_${id}`);
      const found = await childrenOfRequests(app, REQUESTS, work, REQUESTS.length * 4);
      const queries = found.map((names) =>
        names
          .split(',')
          .filter((name) => name.startsWith('SELECT'))
          .join(),
      );
      expect(queries).toEqual(REQUESTS.map((id) => `SELECT mine_${id},SELECT mine_${id}`));
      const [bounds] = found.map((names) => names.toUpperCase().replaceAll(/SELECT MINE_\d,?/g, ''));
      expect(bounds).toMatch(/^(SET TRANSACTION ISOLATION LEVEL,)?(BEGIN|START TRANSACTION),COMMIT$/);
      expect(new Set(found.map((names) => names.replaceAll(/mine_\d/g, 'mine'))).size).toBe(1);
    });
    await orm.close();
  });
});
