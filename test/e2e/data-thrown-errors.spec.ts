/** An error of a database that a handler throws, in the form that an ORM has given it, shows no value on any span. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Controller, Get, HttpException } from '@nestjs/common';
import { EntitySchema as MikroEntitySchema, MikroORM } from '@mikro-orm/postgresql';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import knexOf from 'knex';
import { Kysely, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import { DataTypes, Sequelize } from 'sequelize';
import { DataSource, EntitySchema } from 'typeorm';
import { withDataApp } from '../support/data-app.js';
import { startEmbeddedPostgres, type PostgresServer } from '../support/postgres-server.js';

interface User {
  id: number;
  name: string;
}

interface Failing {
  /** The provider by which the library is found. */
  readonly provided: object;
  /** Inserts a row that is there already. */
  fail(): Promise<unknown>;
  /** Looks for a row that is not there, and throws an error of the ORM. */
  miss?(): Promise<unknown>;
  close(): Promise<unknown>;
}

const SECRET: User = { id: 1, name: 'secret' };

let server: PostgresServer;

beforeAll(async () => {
  server = await startEmbeddedPostgres();
  const pool = createPool();
  await pool.query('CREATE TABLE users (id int PRIMARY KEY, name text UNIQUE)');
  await pool.query("INSERT INTO users VALUES (1, 'secret')");
  await pool.end();
}, 60_000);

afterAll(() => server.stop());

function connection() {
  const { database, port, user } = server;
  return { host: '127.0.0.1', port, user, database, password: 'pw-secret' };
}

function createPool(): Pool {
  return new Pool({ ...connection(), max: 1 });
}

const libraries: Record<string, () => Promise<Failing>> = {
  pg() {
    const pool = createPool();
    return Promise.resolve({
      provided: pool,
      fail: () => pool.query("INSERT INTO users VALUES (1, 'secret')"),
      close: () => pool.end(),
    });
  },
  async TypeORM() {
    const columns = { id: { type: Number, primary: true }, name: { type: String } } as const;
    const entity = new EntitySchema<User>({ name: 'User', tableName: 'users', columns });
    const { user: username, ...options } = connection();
    const dataSource = new DataSource({ type: 'postgres', ...options, username, entities: [entity], poolSize: 1 });
    await dataSource.initialize();
    const users = dataSource.getRepository(entity);
    return {
      provided: dataSource,
      fail: () => users.insert(SECRET),
      miss: () => users.findOneByOrFail({ name: 'secret value' }),
      close: () => dataSource.destroy(),
    };
  },
  Sequelize() {
    const { user: username, ...options } = connection();
    const sequelize = new Sequelize({ dialect: 'postgres', ...options, username, logging: false, pool: { max: 1 } });
    const columns = { id: { type: DataTypes.INTEGER, primaryKey: true }, name: DataTypes.TEXT };
    const users = sequelize.define('User', columns, { tableName: 'users', timestamps: false });
    return Promise.resolve({
      provided: sequelize,
      fail: () => users.create({ ...SECRET }),
      close: () => sequelize.close(),
    });
  },
  Knex() {
    const knex = knexOf({ client: 'pg', connection: connection(), pool: { min: 0, max: 1 } });
    return Promise.resolve({
      provided: knex,
      fail: async () => (await knex('users').insert(SECRET)) as unknown,
      close: () => knex.destroy(),
    });
  },
  Kysely() {
    const database = new Kysely<{ users: User }>({ dialect: new PostgresDialect({ pool: createPool() }) });
    return Promise.resolve({
      provided: database,
      fail: () => database.insertInto('users').values(SECRET).execute(),
      close: () => database.destroy(),
    });
  },
  Drizzle() {
    const pool = createPool();
    const database = drizzle(pool);
    const users = pgTable('users', { id: integer('id').primaryKey(), name: text('name') });
    return Promise.resolve({
      provided: database,
      fail: async () => (await database.insert(users).values(SECRET)) as unknown,
      close: () => pool.end(),
    });
  },
  async 'MikroORM 6'() {
    const properties = { id: { type: 'number', primary: true }, name: { type: 'string' } } as const;
    const entity = new MikroEntitySchema<User>({ name: 'User', tableName: 'users', properties });
    const { database, password, port, user } = connection();
    const orm = await MikroORM.init({
      entities: [entity],
      clientUrl: `postgres://${user}:${password}@127.0.0.1:${port}/${database}`,
      pool: { min: 0, max: 1 },
      discovery: { disableDynamicFileAccess: true },
    });
    return {
      provided: orm,
      fail: () => orm.em.fork().insert(entity, SECRET),
      miss: () => orm.em.fork().findOneOrFail(entity, { name: 'secret value' }),
      close: () => orm.close(),
    };
  },
};

/** Returns what is said of a request whose handler throws the error of `fail`. */
async function saidOf(provided: object, fail: () => Promise<unknown>): Promise<string> {
  @Controller()
  class UsersController {
    @Get('users')
    create() {
      return fail();
    }
  }
  let said = '';
  const providers = [{ provide: 'DB', useFactory: () => provided }];
  await withDataApp({ controllers: [UsersController], providers }, async ({ request, traces }) => {
    await request('/users');
    await traces.until((spans) => spans.some(({ name }) => name === 'GET /users'));
    said = JSON.stringify(traces.take().map(({ attributes, events, status }) => [attributes, events, status]));
  });
  return said;
}

it.each(Object.entries(libraries))('%s', async (_, start) => {
  const { close, fail, provided } = await start();
  const said = await saidOf(provided, fail);
  expect(said).toContain('"exception.type"');
  expect(said).toContain('"error.type":"23505"');
  expect(said).not.toMatch(/secret|duplicate|already exists/i);
  await close();
});

it.each(['TypeORM', 'MikroORM 6'])('%s shows no value that it has looked for', async (name) => {
  const { close, miss, provided } = await libraries[name]!();
  const said = await saidOf(provided, miss!);
  expect(said).toMatch(/Could not find any entity of type|User not found/);
  expect(said).not.toContain('secret value');
  await close();
});

it.each<[string, (error: Error) => Error, boolean]>([
  [
    'repeats the message of the database is shown by its type',
    (error) => new HttpException(`Failed: ${error.message}`, 500, { cause: error }),
    false,
  ],
  [
    'has the error of the database as its cause is shown with its own message',
    (error) => new Error('Failed: not saved', { cause: error }),
    true,
  ],
])('an error of the application that %s', async (_, wrap, isMessageShown) => {
  const pool = createPool();
  const said = await saidOf(pool, async () => {
    try {
      await pool.query("INSERT INTO users VALUES (1, 'secret')");
    } catch (error) {
      throw wrap(error as Error);
    }
  });
  expect(said).not.toMatch(/secret|duplicate|already exists/i);
  expect(said.includes('Failed: ')).toBe(isMessageShown);
  await pool.end();
});
