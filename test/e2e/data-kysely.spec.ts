/** Kysely, whose pool is in no provider: its queries have spans all the same, and one each. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { trace, SpanKind } from '@opentelemetry/api';
import {
  CompiledQuery,
  Kysely,
  PostgresAdapter,
  PostgresDialect,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  SqliteDialect,
  type DatabaseConnection,
  type Driver,
} from 'kysely';
import { tracePool } from 'nestjs-tracing';
import { Client, Pool } from 'pg';
import Cursor from 'pg-cursor';
import { expectOwnSpans } from '../support/contention.js';
import { query, runOf, withDataApp, type DataApp, type DataAppOptions } from '../support/data-app.js';
import { freePort } from '../support/free-port.js';
import { startEmbeddedPostgres, type PostgresServer } from '../support/postgres-server.js';
import type { ExpectedSpan } from '../support/trace-tree.js';

interface Tables {
  users: { id: number; name: string };
}

let server: PostgresServer;

beforeAll(async () => {
  server = await startEmbeddedPostgres();
  const client = new Client(connection());
  await client.connect();
  await client.query('CREATE TABLE users (id int PRIMARY KEY, name text UNIQUE)');
  await client.query("INSERT INTO users VALUES (1, 'Ada'), (2, 'Grace'), (3, 'Joan')");
  for (const id of [1, 2, 3, 4]) await client.query(`CREATE VIEW mine_${id} AS SELECT 1 AS n`);
  await client.end();
}, 60_000);

afterAll(() => server.stop());

function connection() {
  const { database, port, user } = server;
  return { host: '127.0.0.1', port, user, database, password: 'pw-secret' };
}

const provide = (database: object) => ({ provide: 'DB', useFactory: () => database });

/** Runs an application with an instance of Kysely over a pool of one connection, which is in no provider. */
async function withKysely(
  use: (app: DataApp & { db: Kysely<Tables> }) => Promise<void>,
  { pool, tracing, ...options }: DataAppOptions & { pool?: () => Promise<Pool> } = {},
): Promise<void> {
  const dialect = new PostgresDialect({ pool: pool ?? new Pool({ ...connection(), max: 1 }), cursor: Cursor as never });
  const db = new Kysely<Tables>({ dialect });
  try {
    await withDataApp({ providers: [provide(db)], ...options, ...(tracing !== undefined && { tracing }) }, (app) =>
      use({ ...app, db }),
    );
  } finally {
    await db.destroy();
  }
}

const kyselyQuery = (summary: string, details: Partial<ExpectedSpan> = {}) =>
  query(summary, { 'db.system.name': 'postgresql', 'db.query.summary': summary, ...details.attributes }, details);

describe('an instance of Kysely that is a provider', () => {
  it('has one span for each query', async () => {
    await withKysely(async ({ db, run, traces }) => {
      await run(() => db.selectFrom('users').selectAll().where('name', '=', 'secret').execute());
      const text = 'select * from "users" where "name" = $1';
      await traces.expect(runOf(kyselyQuery('select users', { attributes: { 'db.query.text': text } })));
    });
  });

  it.each<[string, (db: Kysely<Tables>) => unknown]>([
    ['a raw query', (db) => sql`select * from users where id = ${1}`.execute(db)],
    ['executeQuery()', (db) => db.executeQuery(CompiledQuery.raw('select * from users'))],
    ['a query with a plugin', (db) => db.withSchema('public').selectFrom('users').selectAll().execute()],
    ['a query without plugins', (db) => db.withoutPlugins().selectFrom('users').selectAll().execute()],
    ['a connection', (db) => db.connection().execute((one) => one.selectFrom('users').selectAll().execute())],
    [
      'a stream',
      async (db) => {
        const seen: unknown[] = [];
        for await (const row of db.selectFrom('users').selectAll().stream(2)) seen.push(row);
        expect(seen).toHaveLength(3);
      },
    ],
    [
      'a stream that is left early',
      async (db) => {
        for await (const row of db.selectFrom('users').selectAll().stream(1)) {
          expect(row).toBeDefined();
          break;
        }
      },
    ],
  ])('traces %s', async (_, work) => {
    await withKysely(async ({ db, run, traces }) => {
      await run(() => work(db));
      await traces.until((spans) => spans.length >= 3);
      const [found, ...rest] = traces.take().filter(({ kind }) => kind === SpanKind.CLIENT);
      expect(found!.name).toMatch(/^select (?:public\.)?users$/);
      expect(rest).toEqual([]);
    });
  });

  it('traces a transaction statement by statement', async () => {
    await withKysely(async ({ db, run, traces }) => {
      await run(() =>
        db.transaction().execute(async (trx) => {
          await trx.updateTable('users').set({ name: 'Augusta' }).where('id', '=', 1).execute();
        }),
      );
      await traces.expect(runOf(kyselyQuery('begin'), kyselyQuery('update users'), kyselyQuery('commit')));
      await run(async () => {
        const trx = await db.startTransaction().execute();
        await trx.rollback().execute();
      });
      await traces.until((spans) => spans.length === 4);
      const names = traces.take().map(({ name }) => name);
      // Both may begin in the same millisecond, which is as exact as the clock of the SDK is.
      expect(names).toEqual(expect.arrayContaining(['begin', 'rollback']));
    });
  });

  it('finds its pool behind an asynchronous function', async () => {
    const pool = () => Promise.resolve(new Pool({ ...connection(), max: 1 }));
    await withKysely(
      async ({ db, run, traces }) => {
        await run(() => db.selectFrom('users').selectAll().execute());
        await traces.expect(runOf(kyselyQuery('select users')));
      },
      { pool },
    );
  });

  it.each<[string, (db: Kysely<Tables>, id: number) => Promise<unknown>]>([
    [
      'queries',
      async (db, id) => {
        for (let i = 0; i < 3; i++) await sql`SELECT * FROM ${sql.table(`mine_${id}`)}`.execute(db);
      },
    ],
    [
      'streams',
      async (db, id) => {
        const stream = () => sql`SELECT * FROM ${sql.table(`mine_${id}`)}`.compile(db);
        for (let i = 0; i < 3; i++)
          for await (const row of db.getExecutor().stream(stream(), 1)) expect(row).toBeDefined();
      },
    ],
  ])('has its %s below their own request, behind a pool of one connection', async (_, work) => {
    await withKysely(async (app) => {
      await app.run(() => app.db.selectFrom('users').selectAll().execute());
      await app.traces.expect(runOf(kyselyQuery('select users')));
      await expectOwnSpans(app, (id) => work(app.db, id), 3);
    });
  });

  it('records how long a query has waited for the connection', async () => {
    await withKysely(async ({ db, run, traces }) => {
      await run(() => db.selectFrom('users').selectAll().execute());
      await traces.until((spans) => spans.length === 3);
      traces.take();
      await run(async () => {
        const busy = sql`select pg_sleep(0.05)`.execute(db);
        await Promise.all([busy, db.selectFrom('users').selectAll().execute()]);
      });
      await traces.until((spans) => spans.length === 4);
      expect(traces.named('select users').attributes['db.client.connection.wait_time']).toBeGreaterThan(0.02);
    });
  });

  it('has the code of a failed query, and no message', async () => {
    await withKysely(async ({ db, run, traces }) => {
      const failing = run(() => db.insertInto('users').values({ id: 2, name: 'secret' }).execute());
      await expect(failing).rejects.toMatchObject({ code: '23505', detail: 'Key (id)=(2) already exists.' });
      await traces.until((spans) => spans.length === 3);
      const { attributes, status } = traces.named('insert users');
      expect(attributes).toMatchObject({ 'error.type': '23505', 'db.response.status_code': '23505' });
      expect(status).toEqual({ code: 2 });
      const said = JSON.stringify(traces.spans.map((span) => [span.attributes, span.events, span.status]));
      expect(said).not.toMatch(/secret|duplicate/);
    });
  });

  it('has a span for a connection that is refused', async () => {
    const port = await freePort();
    const pool = () => Promise.resolve(new Pool({ ...connection(), port }));
    await withKysely(
      async ({ db, run, traces }) => {
        await expect(run(() => db.selectFrom('users').selectAll().execute())).rejects.toThrow('ECONNREFUSED');
        await traces.until((spans) => spans.length === 3);
        expect(traces.named('connect postgresql').attributes['error.type']).toBe('ECONNREFUSED');
      },
      { pool },
    );
  });

  it('gives the application the same results, errors and stacks', async () => {
    const seen: unknown[] = [];
    for (const tracing of [{}, false] as const) {
      await withKysely(
        async ({ db, run }) => {
          const rows = await run(() => db.selectFrom('users').selectAll().orderBy('id').execute());
          const error = await run(() => failHere(db));
          seen.push({ rows, ...error });
        },
        { tracing },
      );
    }
    expect(seen[0]).toEqual(seen[1]);
  });

  async function failHere(db: Kysely<Tables>): Promise<object> {
    try {
      await sql`select * from missing`.execute(db);
      return {};
    } catch (error) {
      const { code, message, name, stack } = error as Error & { code: string };
      const frames = stack!.split('\n').filter((line) => !line.includes('node:internal'));
      return { code, message, name, stack: frames.slice(0, 4).join('\n'), isHere: stack!.includes('failHere') };
    }
  }

  it('is as it was when the application has shut down', async () => {
    const pool = new Pool({ ...connection(), max: 1 });
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
    const own = () => Reflect.ownKeys(db.getExecutor());
    const before = own();
    await withDataApp({ providers: [provide(db)] }, async ({ run }) => {
      await run(() => db.selectFrom('users').selectAll().execute());
      expect(own()).not.toEqual(before);
      expect(Object.keys(db.getExecutor())).toEqual([]);
    });
    expect(own()).toEqual(before);
    // A connection that lives on is traced again in the next application.
    await withDataApp({ providers: [provide(db)] }, async ({ run, traces }) => {
      await run(() => db.selectFrom('users').selectAll().execute());
      await traces.expect(runOf(kyselyQuery('select users')));
    });
    await db.destroy();
  });

  it('obeys its own option', async () => {
    const tracing = { data: { kysely: false } };
    await withKysely(
      async ({ db, run, traces }) => {
        await run(() => db.selectFrom('users').selectAll().execute());
        await traces.expect(runOf());
      },
      { tracing },
    );
  });
});

describe('beside another layer', () => {
  it('the span is that of a pool that is traced, which knows the database', async () => {
    const pool = tracePool(new Pool({ ...connection(), max: 1 }));
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool, cursor: Cursor as never }) });
    await withDataApp({ providers: [provide(db)] }, async ({ run, traces }) => {
      await run(async () => {
        await db.selectFrom('users').selectAll().execute();
        for await (const row of db.selectFrom('users').selectAll().stream()) expect(row).toBeDefined();
      });
      const known = kyselyQuery('select users', { attributes: { 'db.namespace': server.database } });
      await traces.expect(runOf(known, known));
    });
    await db.destroy();
  });

  it('the span is that of another instrumentation of the driver', async () => {
    const { db } = customKysely(() => {
      const tracer = trace.getTracer('other');
      tracer.startSpan('other', { kind: SpanKind.CLIENT, attributes: { 'db.system': 'postgresql' } }).end();
      return Promise.resolve({ rows: [] });
    });
    await withDataApp({ providers: [provide(db)] }, async ({ run, traces }) => {
      await run(() => db.selectFrom('users').selectAll().execute());
      await traces.expect(runOf(query('other', { 'db.system': 'postgresql' })));
    });
  });
});

describe('a driver of the application', () => {
  it('makes each query once, and gets the same arguments', async () => {
    const { calls, db } = customKysely(() => Promise.resolve({ rows: [{ id: 7 }] }));
    await withDataApp({ providers: [provide(db)] }, async ({ run, traces }) => {
      const compiled = db.selectFrom('users').select('id').compile();
      expect(await run(() => db.executeQuery(compiled))).toEqual({ rows: [{ id: 7 }] });
      expect(calls).toEqual([compiled]);
      expect(calls[0]).toBe(compiled);
      await traces.expect(runOf(kyselyQuery('select users')));
    });
  });

  it('that throws at once is a failed query', async () => {
    const error = Object.assign(new Error('secret'), { code: 'E_CUSTOM' });
    const { db } = customKysely(() => {
      throw error;
    });
    await withDataApp({ providers: [provide(db)] }, async ({ run, traces }) => {
      await expect(run(() => db.selectFrom('users').selectAll().execute())).rejects.toBe(error);
      await traces.until((spans) => spans.length === 3);
      expect(traces.named('select users').attributes['error.type']).toBe('E_CUSTOM');
    });
  });
});

describe('SQLite', () => {
  it('has spans as well, although nothing is sent', async () => {
    const statement = { reader: true, all: () => [{ id: 1 }], run: () => ({ changes: 0, lastInsertRowid: 0 }) };
    const database = { prepare: () => statement, close() {} } as never;
    const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });
    await withDataApp({ providers: [provide(db)] }, async ({ run, traces }) => {
      await run(() => db.selectFrom('users').selectAll().execute());
      await traces.expect(runOf(query('select users', { 'db.system.name': 'sqlite' })));
    });
    await db.destroy();
  });
});

/** Returns an instance over a driver that calls a function for each query. */
function customKysely(execute: () => Promise<{ rows: object[] }>): { db: Kysely<Tables>; calls: CompiledQuery[] } {
  const calls: CompiledQuery[] = [];
  const one: DatabaseConnection = {
    executeQuery(compiled) {
      calls.push(compiled);
      return execute() as never;
    },
    async *streamQuery() {},
  };
  const driver = {
    init: async () => {},
    acquireConnection: () => Promise.resolve(one),
    releaseConnection: async () => {},
    destroy: async () => {},
  } as unknown as Driver;
  const db = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (instance) => new PostgresIntrospector(instance),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  return { calls, db };
}
