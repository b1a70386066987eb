/** An error of a database, and whatever ORMs and applications make of it, is exported without the values that its message quotes. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EntitySchema as MikroSchema, MikroORM } from '@mikro-orm/postgresql';
import { InternalServerErrorException } from '@nestjs/common';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import knexOf from 'knex';
import { createPool } from 'mysql2/promise';
import { Client, Pool } from 'pg';
import { DataSource, EntitySchema } from 'typeorm';
import { DEFAULT_TRACER } from '../../lib/options/default-tracer.js';
import { withDataApp } from '../support/data-app.js';
import { startMysqlServer, type MysqlServer } from '../support/mysql-server.js';
import { startEmbeddedPostgres, type PostgresServer } from '../support/postgres-server.js';

/** The value that the statements have, and that the test server of MySQL quotes. */
const VALUE = 'secret';

interface Library {
  /** The provider by which the library is found. */
  readonly provided: object;
  fail(): Promise<unknown>;
  close(): Promise<unknown>;
}

let mysql: MysqlServer;
let postgres: PostgresServer;

beforeAll(async () => {
  [mysql, postgres] = await Promise.all([startMysqlServer(), startEmbeddedPostgres()]);
  const client = new Client(pg());
  await client.connect();
  await client.query('CREATE TABLE users (id serial PRIMARY KEY, name text UNIQUE, age int)');
  await client.query(`INSERT INTO users (name) VALUES ('${VALUE}')`);
  await client.end();
}, 60_000);

afterAll(async () => {
  await Promise.all([mysql.stop(), postgres.stop()]);
});

function pg() {
  const { database, port, user } = postgres;
  return { host: '127.0.0.1', port, user, database };
}

const mikroUser = new MikroSchema<{ id: number; name: string }>({
  name: 'User',
  tableName: 'users',
  properties: { id: { type: 'number', primary: true }, name: { type: 'string' } },
});

async function mikroOrm(fail: (orm: MikroORM) => Promise<unknown>): Promise<Library> {
  const { database, host, port, user } = pg();
  const orm = await MikroORM.init({
    entities: [mikroUser],
    clientUrl: `postgres://${user}@${host}:${port}/${database}`,
    pool: { min: 0, max: 1 },
    discovery: { disableDynamicFileAccess: true },
  });
  return { provided: orm, fail: () => fail(orm), close: () => orm.close() };
}

async function typeorm(fail: (dataSource: DataSource) => Promise<unknown>): Promise<Library> {
  const { user: username, ...options } = pg();
  const columns = { id: { type: Number, primary: true }, name: { type: String } } as const;
  const entities = [new EntitySchema({ name: 'User', tableName: 'users', columns })];
  const settings = { type: 'postgres', username, entities, installExtensions: false, ...options } as const;
  const dataSource = await new DataSource(settings).initialize();
  return { provided: dataSource, fail: () => fail(dataSource), close: () => dataSource.destroy() };
}

const libraries: Record<string, () => Promise<Library>> = {
  mysql2() {
    const pool = createPool({ host: '127.0.0.1', port: mysql.port, user: 'u', database: 'shop' });
    const fail = () => pool.query('INSERT INTO duplicate VALUES (?)', [VALUE]);
    return Promise.resolve({ provided: pool, fail, close: () => pool.end() });
  },
  'Knex, which adds the statement to the message': () => {
    const connection = { host: '127.0.0.1', port: mysql.port, user: 'u', database: 'shop' };
    const knex = knexOf({ client: 'mysql2', connection, pool: { min: 0, max: 1 } });
    const fail = async () => (await knex('duplicate').insert({ name: VALUE })) as unknown;
    return Promise.resolve({ provided: knex, fail, close: () => knex.destroy() });
  },
  'Drizzle, which adds the parameters to the message': () => {
    const pool = new Pool(pg());
    const database = drizzle(pool);
    const fail = () => database.execute(sql`INSERT INTO users (age) VALUES (${VALUE})`);
    return Promise.resolve({ provided: database, fail, close: () => pool.end() });
  },
  'MikroORM, which makes another error of it': () =>
    mikroOrm((orm) => orm.em.fork().insert(mikroUser, { name: VALUE })),
  'MikroORM that finds nothing': () =>
    mikroOrm((orm) => orm.em.fork().findOneOrFail(mikroUser, { name: `no ${VALUE}` })),
  TypeORM: () => typeorm((dataSource) => dataSource.query('INSERT INTO users (age) VALUES ($1)', [VALUE])),
  'TypeORM that finds nothing': () =>
    typeorm((dataSource) => dataSource.getRepository('User').findOneByOrFail({ name: `no ${VALUE}` })),
};

/** What an application makes of an error. */
const forms: Record<string, (error: Error) => unknown> = {
  'as it is': (error) => error,
  'in an exception of its own with the same message': (error) => new InternalServerErrorException(error.message),
  'as the cause of another error that repeats it': (error) =>
    new Error(`not saved: ${error.message}`, { cause: error }),
  // The spans of the SDK record whatever they are given.
  ...(DEFAULT_TRACER !== 'sdk' && {
    'recorded by the application itself': (error: Error) => {
      const span = trace.getActiveSpan();
      span?.recordException(error);
      span?.recordException(error.message);
      span?.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      return error;
    },
  }),
};

describe.each(Object.entries(libraries))('an error of %s', (_, start) => {
  it.each(Object.entries(forms))('quotes no value, %s', async (_form, change) => {
    const library = await start();
    const providers = [{ provide: 'DB', useFactory: () => library.provided }];
    await withDataApp({ providers }, async ({ runThrowing, traces }) => {
      await expect(runThrowing(() => library.fail().catch(throwing(change)))).rejects.toThrow();
      await traces.until((spans) => spans.length === 3 && spans.some(({ name }) => name === 'GET /work/:id'));
      const spans = traces.take();
      const said = spans.map(({ attributes, events, name, status }) => ({ attributes, events, name, status }));
      expect(JSON.stringify(said)).not.toContain(VALUE);
      expect(said.flatMap(({ events }) => events).map(({ name }) => name)).toContain('exception');
    });
    await library.close();
  });
});

function throwing(change: (error: Error) => unknown) {
  return (error: Error): never => {
    throw change(error);
  };
}
