/** Knex, MikroORM, Drizzle and Kysely over pg: each query has one span, which is that of the driver. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EntitySchema, MikroORM } from '@mikro-orm/postgresql';
import { sql } from 'drizzle-orm';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { integer, pgTable, withReplicas } from 'drizzle-orm/pg-core';
import knexOf, { type Knex } from 'knex';
import { Kysely, PostgresDialect } from 'kysely';
import { tracePool, TracingService } from 'nestjs-tracing';
import { Client, Pool } from 'pg';
import { Sequelize } from 'sequelize';
import { query, runOf, withDataApp, type DataApp } from '../support/data-app.js';
import { freePort } from '../support/free-port.js';
import { startEmbeddedPostgres, type PostgresServer } from '../support/postgres-server.js';
import type { ExpectedSpan } from '../support/trace-tree.js';

let server: PostgresServer;

beforeAll(async () => {
  server = await startEmbeddedPostgres();
  const client = new Client(connection());
  await client.connect();
  await client.query('CREATE TABLE users (id int PRIMARY KEY, name text UNIQUE)');
  await client.query("INSERT INTO users VALUES (1, 'Ada')");
  await client.end();
}, 60_000);

afterAll(() => server.stop());

function connection() {
  const { database, port, user } = server;
  return { host: '127.0.0.1', port, user, database, password: 'pw-secret' };
}

const pgQuery = (summary: string, details: Partial<ExpectedSpan> = {}) =>
  query(
    summary,
    {
      'db.system.name': 'postgresql',
      'db.namespace': server.database,
      'db.query.summary': summary,
      'server.address': '127.0.0.1',
      'server.port': server.port,
      ...details.attributes,
    },
    details,
  );

const provide = (value: object) => ({ providers: [{ provide: 'DB', useFactory: () => value }] });

/** Returns everything that the spans say of a failure. */
const saidOf = (traces: DataApp['traces']) =>
  JSON.stringify(traces.spans.map(({ attributes, events, status }) => [attributes, events, status]));

describe('Knex', () => {
  let knex: Knex;

  async function withKnex(use: (app: DataApp) => Promise<void>, settings: object = connection()): Promise<void> {
    knex = knexOf({ client: 'pg', connection: settings, pool: { min: 0, max: 1 }, log: { warn: () => {} } });
    try {
      await withDataApp(provide(knex), use);
    } finally {
      await knex.destroy();
    }
  }

  it('has one span for each query, and none for those of a new connection', async () => {
    await withKnex(async ({ run, traces }) => {
      await run(async () => {
        await knex('users').where({ id: 1 }).select('name');
        await knex.transaction((trx) => trx('users').where({ id: 1 }).update({ name: 'Grace' }));
      });
      await traces.expect(
        runOf(
          pgQuery('select users', { attributes: { 'db.query.text': 'select "name" from "users" where "id" = $1' } }),
          pgQuery('BEGIN'),
          pgQuery('update users'),
          pgQuery('COMMIT'),
        ),
      );
    });
  });

  it('has its queries below their own request, behind a pool of one connection', async () => {
    await withKnex(async ({ run, traces }) => {
      await Promise.all([1, 2, 3, 4].map((n) => run(() => knex.raw(`SELECT ${n} AS n`))));
      await traces.expect(...[1, 2, 3, 4].map(() => runOf(pgQuery('SELECT'))));
    });
  });

  it('has the code of a failed query, and no message', async () => {
    await withKnex(async ({ run, traces }) => {
      await expect(run(() => knex('users').insert({ id: 1, name: 'secret' }))).rejects.toThrow('duplicate key');
      await traces.until((spans) => spans.length === 3);
      expect(saidOf(traces)).not.toMatch(/secret|duplicate/);
      expect(saidOf(traces)).toContain('23505');
    });
  });

  it('has a span for a connection that is refused', async () => {
    await withKnex(
      async ({ run, traces }) => {
        await expect(run(() => knex.raw('SELECT 1'))).rejects.toThrow();
        await traces.until((spans) => spans.length === 3);
        expect(traces.take().map(({ name }) => name)).toContain(`connect ${server.database}`);
      },
      { ...connection(), port: await freePort() },
    );
  });

  it('is as it was when the application has shut down', async () => {
    knex = knexOf({ client: 'pg', connection: connection(), pool: { min: 1, max: 1 } });
    const client = knex.client as object;
    await knex.raw('SELECT 1');
    const before = Object.getOwnPropertyNames(client);
    await withDataApp(provide(knex), async ({ run }) => {
      await run(() => knex.raw('SELECT 1'));
    });
    expect(Object.getOwnPropertyNames(client)).toEqual(before);
    await knex.destroy();
  });

  it.each(['cockroachdb', 'redshift'])(
    'traces the connections of its dialect for %s, which are those of pg',
    async (client) => {
      const settings = { client, connection: connection(), version: '15', pool: { min: 0, max: 1 } };
      knex = knexOf(settings);
      await withDataApp(provide(knex), async ({ run, traces }) => {
        await run(async () => {
          await knex.raw('SELECT 1');
        });
        await traces.expect(runOf(pgQuery('SELECT')));
      });
      await knex.destroy();
    },
  );

  it('names no server that it does not know', async () => {
    const port = await freePort();
    const settings = () => ({ ...connection(), port });
    knex = knexOf({ client: 'pg', connection: settings, pool: { min: 0, max: 1 }, log: { warn: () => {} } });
    await withDataApp(provide(knex), async ({ run, traces }) => {
      await expect(run(() => knex.raw('SELECT 1'))).rejects.toThrow('ECONNREFUSED');
      const attributes = { 'error.type': 'ECONNREFUSED', 'server.address': undefined, 'db.system.name': 'postgresql' };
      await traces.expect(runOf(query('connect postgresql', attributes, { status: 'ERROR' })));
    });
    await knex.destroy();
  });
});

describe('a notification on a connection that a request has opened', () => {
  interface Library {
    readonly provided: object;
    acquire(): Promise<ListeningClient>;
    release(client: ListeningClient): unknown;
    close(): Promise<unknown>;
  }
  type ListeningClient = Pick<Client, 'on'> & { query(text: string): Promise<unknown> };

  const libraries: Record<string, () => Library> = {
    Knex() {
      const knex = knexOf({ client: 'pg', connection: connection(), pool: { min: 0, max: 1 } });
      const client = knex.client as {
        acquireConnection(): Promise<ListeningClient>;
        releaseConnection(client: ListeningClient): Promise<void>;
      };
      return {
        provided: knex,
        acquire: () => client.acquireConnection(),
        release: (acquired) => client.releaseConnection(acquired),
        close: () => knex.destroy(),
      };
    },
    Sequelize() {
      const { user: username, ...options } = connection();
      const sequelize = new Sequelize({ dialect: 'postgres', ...options, username, logging: false, pool: { max: 1 } });
      const { connectionManager } = sequelize;
      return {
        provided: sequelize,
        acquire: () => connectionManager.getConnection({ type: 'read' }) as Promise<ListeningClient>,
        release: (client) => connectionManager.releaseConnection(client),
        close: () => sequelize.close(),
      };
    },
  };

  it.each(Object.entries(libraries))(
    'of %s is outside of any request, and its listener is traced',
    async (_, start) => {
      const library = start();
      await withDataApp(provide(library.provided), async ({ app, run, traces }) => {
        const tracing = app.get(TracingService);
        const client = await run(async () => {
          const acquired = await library.acquire();
          await acquired.query('LISTEN news');
          return acquired;
        });
        await traces.until((spans) => spans.some(({ name }) => name === 'GET /work/:id'));
        traces.take();
        client.on('notification', () => tracing.span('news', () => {}));
        await client.query('NOTIFY news');
        await traces.until((spans) => spans.length === 1);
        expect(traces.take()).toMatchObject([{ name: 'news', parentSpanContext: undefined }]);
        await library.release(client);
      });
      await library.close();
    },
  );
});

describe('MikroORM 6', () => {
  const User = new EntitySchema<{ id: number; name: string }>({
    name: 'User',
    tableName: 'users',
    properties: { id: { type: 'number', primary: true }, name: { type: 'string' } },
  });

  it('has one span for each query, and the code of one that has failed', async () => {
    const { database, port } = server;
    const orm = await MikroORM.init({
      entities: [User],
      clientUrl: `postgres://postgres:pw-secret@127.0.0.1:${port}/${database}`,
      pool: { min: 0, max: 1 },
      discovery: { disableDynamicFileAccess: true },
    });
    await withDataApp(provide(orm), async ({ run, traces }) => {
      await run(async () => {
        await orm.em.fork().findOne(User, { id: 1 });
      });
      await traces.expect(runOf(pgQuery('select users')));
      const failing = run(() => orm.em.fork().insert(User, { id: 1, name: 'secret' }));
      await expect(failing).rejects.toThrow('secret');
      await traces.until((spans) => spans.length === 3);
      expect(saidOf(traces)).not.toContain('secret');
      expect(saidOf(traces)).toContain('23505');
    });
    await orm.close();
  });
});

describe('Drizzle', () => {
  it('has one span for each query of its pool', async () => {
    const pool = new Pool({ ...connection(), max: 1 });
    const database: NodePgDatabase = drizzle(pool);
    await withDataApp(provide(database), async ({ run, traces }) => {
      await run(async () => {
        await database.execute(sql`SELECT * FROM users WHERE name = ${'secret'}`);
        await database.transaction((tx) => tx.execute(sql`SELECT 1`));
      });
      await traces.expect(runOf(pgQuery('SELECT users'), pgQuery('begin'), pgQuery('SELECT'), pgQuery('commit')));
      const failing = run(() => database.execute(sql`INSERT INTO users VALUES (1, ${'secret'})`));
      await expect(failing).rejects.toThrow('secret');
      await traces.until((spans) => spans.length === 3);
      expect(saidOf(traces)).not.toContain('secret');
    });
    expect(Object.hasOwn(pool, 'connect')).toBe(false);
    await pool.end();
  });
});

describe('Drizzle with replicas', () => {
  it('has the spans of the pools that it reads from as well', async () => {
    const [pool, other] = [new Pool({ ...connection(), max: 1 }), new Pool({ ...connection(), max: 1 })];
    const users = pgTable('users', { id: integer('id') });
    const database = withReplicas(drizzle(pool), [drizzle(other)]);
    await withDataApp(provide(database), async ({ run, traces }) => {
      await run(async () => {
        await database.select().from(users);
        await database.execute(sql`SELECT 1`);
      });
      await traces.expect(runOf(pgQuery('select users'), pgQuery('SELECT')));
    });
    await Promise.all([pool.end(), other.end()]);
  });
});

describe('Kysely', () => {
  it('has one span for each query of a pool that tracePool() was called with', async () => {
    const pool = tracePool(new Pool({ ...connection(), max: 1 }));
    const database = new Kysely<{ users: { id: number } }>({ dialect: new PostgresDialect({ pool }) });
    await withDataApp(provide(database), async ({ run, traces }) => {
      await run(() => database.selectFrom('users').selectAll().where('id', '=', 1).execute());
      await traces.expect(runOf(pgQuery('select users')));
    });
    await database.destroy();
  });
});
