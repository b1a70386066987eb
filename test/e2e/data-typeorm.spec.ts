/** TypeORM, over a database in the process, over pg, and over mysql2. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { getRepositoryToken, TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { tracePool, type TracingOptions } from 'nestjs-tracing';
import { DataSource, EntitySchema, QueryFailedError, type Repository } from 'typeorm';
import { query, runOf, withDataApp, type DataApp } from '../support/data-app.js';
import { startMysqlServer } from '../support/mysql-server.js';
import { startEmbeddedPostgres, type PostgresServer } from '../support/postgres-server.js';
import type { ExpectedSpan } from '../support/trace-tree.js';

interface User {
  id: number;
  name: string;
}

const UserEntity = new EntitySchema<User>({
  name: 'User',
  tableName: 'users',
  columns: { id: { type: Number, primary: true }, name: { type: String, unique: true } },
});

type TypeormApp = DataApp & { readonly dataSource: DataSource; readonly users: Repository<User> };

async function withTypeorm(
  options: TypeOrmModuleOptions,
  use: (app: TypeormApp) => Promise<void>,
  tracing: Omit<TracingOptions, 'exporter'> | false = {},
): Promise<void> {
  const imports = [
    TypeOrmModule.forRoot({ ...options, entities: [UserEntity] }),
    TypeOrmModule.forFeature([UserEntity]),
  ];
  await withDataApp({ imports, tracing }, (app) =>
    use({ ...app, dataSource: app.app.get(DataSource), users: app.app.get(getRepositoryToken(UserEntity)) }),
  );
}

const SQLJS: TypeOrmModuleOptions = { type: 'sqljs', synchronize: true };

describe('TypeORM over SQLite', () => {
  const sqliteQuery = (summary: string, details: Partial<ExpectedSpan> = {}) =>
    query(
      summary,
      {
        'db.system.name': 'sqlite',
        'db.query.summary': summary,
        'db.operation.name': undefined,
        'server.address': undefined,
        'server.port': undefined,
        ...details.attributes,
      },
      details,
    );

  it('has a span for each query, in the transaction as well', async () => {
    await withTypeorm(SQLJS, async ({ dataSource, run, traces, users }) => {
      await run(async () => {
        await users.save({ id: 1, name: 'secret' });
        await dataSource.transaction((manager) => manager.update(UserEntity, 1, { name: 'other' }));
        await dataSource.query("SELECT * FROM users WHERE name = 'secret'");
      });
      await traces.expect(
        runOf(
          sqliteQuery('SELECT users'),
          sqliteQuery('BEGIN'),
          sqliteQuery('INSERT users'),
          sqliteQuery('COMMIT'),
          sqliteQuery('BEGIN'),
          sqliteQuery('UPDATE users'),
          sqliteQuery('COMMIT'),
          sqliteQuery('SELECT users', { attributes: { 'db.query.text': 'SELECT * FROM users WHERE name = ?' } }),
        ),
      );
    });
  });

  it('shows no message of a query that has failed, and throws the same error', async () => {
    await withTypeorm(SQLJS, async ({ dataSource, run, traces }) => {
      const error: unknown = await run(() => dataSource.query("SELECT * FROM missing WHERE a = 'secret'")).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(QueryFailedError);
      expect(String((error as Error).stack)).not.toContain('/lib/data/');
      await traces.until((spans) => spans.length === 3);
      const spans = traces.take();
      expect(JSON.stringify(spans.map(({ events, status }) => [events, status]))).not.toContain('missing');
      expect(spans.find(({ name }) => name === 'SELECT missing')?.status).toEqual({ code: 2 });
    });
  });

  it('has the parameters only if the application asks for them', async () => {
    const tracing = { data: { typeorm: { parameters: true } } };
    await withTypeorm(
      SQLJS,
      async ({ run, traces, users }) => {
        await run(() => users.findOneBy({ name: 'Ada' }));
        await traces.expect(runOf(sqliteQuery('SELECT users', { attributes: { 'db.query.parameter.0': 'Ada' } })));
      },
      tracing,
    );
  });

  it('runs without tracing where it is off, and leaves the data source as it was', async () => {
    const dataSource = await new DataSource({ type: 'sqljs', entities: [UserEntity], synchronize: true }).initialize();
    const before = Object.getOwnPropertyNames(dataSource);
    const runner = dataSource.createQueryRunner();
    const provider = { provide: 'DB', useValue: dataSource };
    for (let i = 0; i < 2; i++) {
      await withDataApp({ providers: [provider] }, async ({ run, traces }) => {
        await run(() => dataSource.query('SELECT 1'));
        await traces.expect(runOf(sqliteQuery('SELECT')));
      });
      expect(Object.getOwnPropertyNames(dataSource)).toEqual(before);
      expect(Object.hasOwn(runner, 'query')).toBe(false);
    }
    await withDataApp({ providers: [provider], tracing: { data: { typeorm: false } } }, async ({ run, traces }) => {
      await run(() => dataSource.query('SELECT 1'));
      await traces.expect(runOf());
    });
    await dataSource.destroy();
  });

  it('has one span for a query of two applications', async () => {
    const dataSource = await new DataSource({ type: 'sqljs' }).initialize();
    const providers = [{ provide: 'DB', useValue: dataSource }];
    // The spans of both applications go to the pipeline of the first one.
    await withDataApp({ providers }, async ({ traces }) => {
      await withDataApp({ providers }, async ({ run }) => {
        await run(() => dataSource.query('SELECT 1'));
        await traces.expect(runOf(sqliteQuery('SELECT')));
      });
    });
    await dataSource.destroy();
  });

  it('runs a query that a test has mocked', async () => {
    await withTypeorm(SQLJS, async ({ dataSource, run }) => {
      const runner = { query: () => Promise.resolve('mocked'), release: () => Promise.resolve() };
      const spy = jest.spyOn(dataSource, 'createQueryRunner').mockReturnValue(runner as never);
      expect(await run(() => dataSource.query('SELECT 1'))).toBe('mocked');
      expect(spy).toHaveBeenCalledTimes(1);
    });
  });

  it('adds no subscriber and no listener', async () => {
    await withTypeorm(SQLJS, ({ dataSource }) => {
      expect(dataSource.subscribers).toEqual([]);
      return Promise.resolve();
    });
  });

  it('is measured', async () => {
    await withTypeorm(
      SQLJS,
      async ({ run, url, users }) => {
        await run(() => users.find());
        const metrics = await (await fetch(`${url}/metrics`)).text();
        expect(metrics).toMatch(/db_client_operation_duration_seconds_count\{[^}]*db_query_summary="SELECT users"/);
      },
      { metrics: {} },
    );
  });

  it('is traced for a data source that is no provider, by tracePool()', async () => {
    const dataSource = tracePool(await new DataSource({ type: 'sqljs' }).initialize());
    await withDataApp({}, async ({ run, traces }) => {
      await run(() => dataSource.query('SELECT 1'));
      await traces.expect(runOf(sqliteQuery('SELECT')));
    });
    await dataSource.destroy();
  });
});

describe('TypeORM over pg', () => {
  let server: PostgresServer;
  let options: TypeOrmModuleOptions;

  beforeAll(async () => {
    server = await startEmbeddedPostgres();
    const { database, port, user } = server;
    options = {
      type: 'postgres',
      host: '127.0.0.1',
      port,
      username: user,
      database,
      synchronize: true,
      dropSchema: true,
      installExtensions: false,
      poolSize: 1,
    } as TypeOrmModuleOptions;
  }, 60_000);

  afterAll(() => server.stop());

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

  it('has one span for each query, which is that of the pool', async () => {
    await withTypeorm(options, async ({ run, traces, users }) => {
      await run(async () => {
        await users.insert({ id: 1, name: 'Ada' });
        await users.findOneBy({ id: 1 });
      });
      await traces.expect(runOf(pgQuery('INSERT users'), pgQuery('SELECT users')));
    });
  });

  it('has its queries below the request that makes them, behind a pool of one connection', async () => {
    await withTypeorm(options, async ({ dataSource, run, traces }) => {
      await Promise.all([1, 2, 3, 4].map((n) => run(() => dataSource.query(`SELECT ${n} AS n`))));
      await traces.expect(...[1, 2, 3, 4].map(() => runOf(pgQuery('SELECT'))));
    });
  });

  it.each<[string, (dataSource: DataSource) => Promise<unknown>]>([
    ['for the first time', (dataSource) => dataSource.initialize()],
    [
      'once more',
      async (dataSource) => {
        await dataSource.initialize();
        await dataSource.destroy();
        await dataSource.initialize();
      },
    ],
  ])('has the pool that it creates when it is initialized %s, after the start', async (_, initialize) => {
    const dataSource = new DataSource(options as never);
    await withDataApp({ providers: [{ provide: 'DB', useValue: dataSource }] }, async ({ run, traces }) => {
      await initialize(dataSource);
      await run(() => dataSource.query('SELECT 1'));
      await traces.expect(runOf(pgQuery('SELECT')));
    });
    const { master } = dataSource.driver as unknown as { master: object };
    expect(Object.hasOwn(master, 'connect')).toBe(false);
    await dataSource.destroy();
  });

  it('has the pool of a data source for tracePool() that is initialized later', async () => {
    const dataSource = tracePool(new DataSource(options as never));
    await dataSource.initialize();
    await withDataApp({}, async ({ run, traces }) => {
      await run(() => dataSource.query('SELECT 1'));
      await traces.expect(runOf(pgQuery('SELECT')));
    });
    await dataSource.destroy();
  });

  it('shows no message of the error of TypeORM, which repeats that of the database', async () => {
    await withTypeorm(options, async ({ run, traces, users }) => {
      await users.insert({ id: 1, name: 'secret' });
      await expect(run(() => users.insert({ id: 1, name: 'secret' }))).rejects.toThrow('duplicate key');
      await traces.until((spans) => spans.length === 3);
      const spans = traces.take();
      const failed = spans.find(({ name }) => name === 'INSERT users');
      expect(failed?.attributes).toMatchObject({ 'db.response.status_code': '23505', 'error.type': '23505' });
      expect(JSON.stringify(spans.map(({ attributes, events, status }) => [attributes, events, status]))).not.toMatch(
        /duplicate|secret/,
      );
    });
  });
});

describe('TypeORM over mysql2', () => {
  it('has one span for each query, which is that of the channels', async () => {
    const server = await startMysqlServer();
    const options: TypeOrmModuleOptions = {
      type: 'mysql',
      host: '127.0.0.1',
      port: server.port,
      username: 'u',
      database: 'shop',
    };
    try {
      await withTypeorm(options, async ({ dataSource, run, traces }) => {
        await run(() => dataSource.query('SELECT * FROM users'));
        await traces.expect(runOf(query('SELECT users', { 'db.system.name': 'mysql', 'db.namespace': 'shop' })));
        await expect(run(() => dataSource.query('INSERT duplicate'))).rejects.toThrow("Duplicate entry 'secret'");
        await traces.until((spans) => spans.length === 3);
        expect(JSON.stringify(traces.take().map(({ events, status }) => [events, status]))).not.toContain('secret');
      });
    } finally {
      await server.stop();
    }
  });
});
