/** mssql and Knex over tedious, with a server that speaks the protocol of SQL Server. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import knexOf, { type Knex } from 'knex';
import { Kysely, MssqlDialect, sql } from 'kysely';
import mssql, { type ConnectionPool } from 'mssql';
import { Sequelize } from 'sequelize';
import * as tarn from 'tarn';
import * as tedious from 'tedious';
import { DataSource } from 'typeorm';
import { childrenOfRequests } from '../support/children-of-requests.js';
import { query, runOf, withDataApp, type DataApp, type DataAppOptions } from '../support/data-app.js';
import { freePort } from '../support/free-port.js';
import { startTdsServer, type TdsServer } from '../support/tds-server.js';
import type { ExpectedSpan } from '../support/trace-tree.js';

const { Connection, Request, TYPES } = tedious;

let server: TdsServer;

beforeAll(async () => {
  server = await startTdsServer();
});

afterAll(() => server.stop());

const shopQuery = (name: string, attributes: Record<string, unknown> = {}, details: Partial<ExpectedSpan> = {}) =>
  query(
    name,
    {
      'db.system.name': 'microsoft.sql_server',
      'db.namespace': 'shop',
      'server.address': '127.0.0.1',
      'server.port': server.port,
      ...attributes,
    },
    details,
  );

const failed: Partial<ExpectedSpan> = { status: 'ERROR' };
const DUPLICATE = { 'error.type': '2627', 'db.response.status_code': '2627' };

/** Returns everything that the spans say of a failure. */
const saidOf = (traces: DataApp['traces']) =>
  JSON.stringify(traces.spans.map(({ attributes, events, name, status }) => [attributes, events, name, status]));

const REQUESTS = ['1', '2', '3', '4'];

describe('mssql', () => {
  const config = () => ({
    server: '127.0.0.1',
    port: server.port,
    database: 'shop',
    user: 'u',
    password: 'pw-secret',
    options: { encrypt: false },
    pool: { min: 0, max: 1 },
  });

  /** Runs an application with a pool of one connection, which is in no provider. */
  async function withPool(
    use: (app: DataApp, pool: ConnectionPool) => Promise<void>,
    options: DataAppOptions = {},
  ): Promise<void> {
    await withDataApp(options, async (app) => {
      const pool = await new mssql.ConnectionPool(config()).connect();
      try {
        await use(app, pool);
      } finally {
        await pool.close();
      }
    });
  }

  const forms: readonly (readonly [name: string, span: () => ExpectedSpan, work: (pool: ConnectionPool) => unknown])[] =
    [
      [
        'query() with a promise',
        () => shopQuery('SELECT users', { 'db.query.text': 'SELECT * FROM users WHERE id = @id AND name = ?' }),
        async (pool) => {
          const { recordset } = await pool
            .request()
            .input('id', 7)
            .query("SELECT * FROM users WHERE id = @id AND name = 'x'");
          expect(recordset).toEqual([{ n: 1 }, { n: 2 }]);
        },
      ],
      [
        'query() with a callback',
        () => shopQuery('SELECT users'),
        (pool) => new Promise((resolve) => pool.request().query('SELECT * FROM users', resolve)),
      ],
      ['batch()', () => shopQuery('SELECT users'), (pool) => pool.request().batch('SELECT * FROM users')],
      [
        'execute()',
        () => shopQuery('EXECUTE dbo.charge', { 'db.operation.name': 'EXECUTE', 'db.query.text': undefined }),
        (pool) => pool.request().input('card', 'secret').execute('dbo.charge'),
      ],
      [
        'a prepared statement',
        () => shopQuery('SELECT users', { 'db.query.text': 'SELECT * FROM users WHERE id = @id' }),
        async (pool) => {
          const statement = new mssql.PreparedStatement(pool);
          statement.input('id', mssql.Int);
          await statement.prepare('SELECT * FROM users WHERE id = @id');
          await statement.execute({ id: 7 });
          await statement.unprepare();
        },
      ],
      [
        'bulk()',
        () => shopQuery('INSERT BULK users', { 'db.operation.batch.size': 2 }),
        (pool) => {
          const table = new mssql.Table('users');
          table.columns.add('id', mssql.Int, { nullable: false });
          table.rows.add(1);
          table.rows.add(2);
          return pool.request().bulk(table);
        },
      ],
    ];

  it.each(forms)('has one span for %s, below its caller', async (_, span, work) => {
    await withPool(async ({ run, traces }, pool) => {
      await run(() => work(pool));
      await traces.expect(runOf(span()));
    });
  });

  const BEGIN = 'BEGIN TRANSACTION';
  const COMMIT = 'COMMIT TRANSACTION';

  async function inTransaction(pool: ConnectionPool, text: string): Promise<void> {
    const transaction = new mssql.Transaction(pool);
    await transaction.begin();
    await transaction.request().query(text);
    await new mssql.Request(transaction).query(text);
    await transaction.commit();
  }

  it('has a span for the beginning and the end of a transaction', async () => {
    await withPool(async ({ run, traces }, pool) => {
      await run(() => inTransaction(pool, 'SELECT * FROM users'));
      const operation = (name: string) => shopQuery(name, { 'db.operation.name': name, 'db.query.text': undefined });
      const select = shopQuery('SELECT users');
      await traces.expect(runOf(operation(BEGIN), select, select, operation(COMMIT)));
      await run(
        () =>
          new Promise<void>((resolve) => {
            const transaction = pool.transaction();
            transaction.begin(undefined, () => {
              transaction.request().query('SELECT * FROM users', () => transaction.rollback(() => resolve()));
            });
          }),
      );
      await traces.expect(runOf(operation(BEGIN), select, operation('ROLLBACK TRANSACTION')));
    });
  });

  it.each<[string, (pool: ConnectionPool, id: string) => Promise<unknown>, string]>([
    [
      'queries',
      async (pool, id) => {
        for (let i = 0; i < 3; i++) await pool.request().query(`SELECT * FROM mine_${id}`);
      },
      'SELECT,SELECT,SELECT',
    ],
    [
      'callbacks',
      (pool, id) =>
        new Promise((resolve) => {
          const text = `SELECT * FROM mine_${id}`;
          pool.request().query(text, () => pool.request().query(text, () => pool.request().query(text, resolve)));
        }),
      'SELECT,SELECT,SELECT',
    ],
    ['transactions', (pool, id) => inTransaction(pool, `SELECT * FROM mine_${id}`), `${BEGIN},SELECT,SELECT,${COMMIT}`],
    [
      'prepared statements',
      async (pool, id) => {
        const statement = new mssql.PreparedStatement(pool);
        await statement.prepare(`SELECT * FROM mine_${id}`);
        await statement.execute({});
        await statement.execute({});
        await statement.unprepare();
      },
      'SELECT,SELECT',
    ],
  ])('has the spans of %s below their own request, behind a pool of one connection', async (_, work, names) => {
    await withPool(async (app, pool) => {
      const count = names.split(',').length;
      const found = await childrenOfRequests(app, REQUESTS, (id) => work(pool, id), REQUESTS.length * count);
      expect(found).toEqual(REQUESTS.map((id) => names.replaceAll('SELECT', `SELECT mine_${id}`)));
    });
  });

  it('has the number of a failed query, and no message', async () => {
    await withPool(async ({ run, traces }, pool) => {
      const text = "INSERT INTO users VALUES ('duplicate')";
      await expect(run(() => pool.request().query(text))).rejects.toThrow('secret');
      await traces.until((spans) => spans.length === 3);
      expect(traces.named('INSERT users').attributes).toMatchObject(DUPLICATE);
      expect(saidOf(traces)).not.toContain('secret');
    });
  });

  it('leaves a connection as it was when the application has shut down', async () => {
    let connection: object | undefined;
    const pool = new mssql.ConnectionPool(config());
    await withDataApp({}, async ({ run }) => {
      await pool.connect();
      const transaction = pool.transaction();
      await run(() => transaction.begin());
      connection = Reflect.get(transaction, '_acquiredConnection') as object;
      expect(Object.hasOwn(connection, 'commitTransaction')).toBe(true);
      await transaction.rollback();
    });
    expect(Object.hasOwn(connection!, 'commitTransaction')).toBe(false);
    await pool.close();
  });
});

describe('Knex over SQL Server', () => {
  async function withKnex(use: (app: DataApp, knex: Knex) => Promise<void>, port = server.port): Promise<void> {
    const connection = { host: '127.0.0.1', port, user: 'u', password: 'pw-secret', database: 'shop' };
    const knex = knexOf({ client: 'mssql', connection, pool: { min: 0, max: 1 }, log: { warn: () => {} } });
    try {
      await withDataApp({ providers: [{ provide: 'DB', useFactory: () => knex }] }, (app) => use(app, knex));
    } finally {
      await knex.destroy();
    }
  }

  it('has one span for each query, and none for those of a new connection', async () => {
    await withKnex(async ({ run, traces }, knex) => {
      await run(async () => {
        expect(await knex('users').where({ id: 7 }).select('name')).toEqual([{ n: 1 }, { n: 2 }]);
        await knex.transaction((trx) => trx('users').where({ id: 1 }).update({ name: 'secret' }));
      });
      const text = 'select [name] from [users] where [id] = @p0';
      await traces.expect(
        runOf(
          shopQuery('select users', { 'db.query.text': text }),
          shopQuery('BEGIN TRANSACTION'),
          shopQuery('update users select', {
            'db.query.text': 'update [users] set [name] = @p0 where [id] = @p1;select @@rowcount',
          }),
          shopQuery('COMMIT TRANSACTION'),
        ),
      );
    });
  });

  it.each<[string, (knex: Knex, id: string) => Promise<unknown>, string]>([
    [
      'queries',
      async (knex, id) => {
        for (let i = 0; i < 2; i++) await knex.raw(`SELECT * FROM mine_${id}`);
      },
      'SELECT,SELECT',
    ],
    [
      'streams',
      async (knex, id) => {
        const stream = knex.raw(`SELECT * FROM mine_${id}`).stream();
        stream.on('data', () => {});
        await once(stream, 'end');
        await knex.raw(`SELECT * FROM mine_${id}`);
      },
      'SELECT,SELECT',
    ],
    [
      'transactions',
      (knex, id) => knex.transaction((trx) => trx.raw(`SELECT * FROM mine_${id}`)),
      'BEGIN TRANSACTION,SELECT,COMMIT TRANSACTION',
    ],
  ])('has the spans of %s below their own request, behind a pool of one connection', async (_, work, names) => {
    await withKnex(async (app, knex) => {
      const count = names.split(',').length;
      const found = await childrenOfRequests(app, REQUESTS, (id) => work(knex, id), REQUESTS.length * count);
      expect(found).toEqual(REQUESTS.map((id) => names.replaceAll('SELECT', `SELECT mine_${id}`)));
    });
  });

  it('has the number of a failed query, and no message', async () => {
    await withKnex(async ({ run, traces }, knex) => {
      await expect(run(() => knex('users').insert({ name: 'duplicate' }))).rejects.toThrow('secret');
      await traces.until((spans) => spans.length === 3);
      expect(traces.named('insert users').attributes).toMatchObject(DUPLICATE);
      expect(saidOf(traces)).not.toContain('secret');
    });
  });

  it('has a span for a connection that is refused', async () => {
    const port = await freePort();
    await withKnex(async ({ run, traces }, knex) => {
      await expect(run(() => knex.raw('SELECT 1'))).rejects.toThrow();
      const attributes = { 'error.type': 'ESOCKET', 'server.port': port };
      await traces.until((spans) => spans.length === 3);
      expect(traces.named('connect shop').attributes).toMatchObject(attributes);
    }, port);
  });
});

describe('TypeORM over SQL Server', () => {
  it('has one span for each query, and for the beginning and the end of a transaction', async () => {
    const dataSource = new DataSource({
      type: 'mssql',
      host: '127.0.0.1',
      port: server.port,
      username: 'u',
      password: 'pw-secret',
      database: 'shop',
      options: { encrypt: false },
      pool: { min: 0, max: 1 },
    });
    await dataSource.initialize();
    await withDataApp({ providers: [{ provide: 'DB', useFactory: () => dataSource }] }, async (app) => {
      const work = (id: string) =>
        dataSource.transaction(async (manager) => {
          await manager.query(`SELECT * FROM mine_${id} WHERE name = 'secret'`);
        });
      const found = await childrenOfRequests(app, REQUESTS, work, REQUESTS.length * 3);
      expect(found).toEqual(REQUESTS.map((id) => `BEGIN TRANSACTION,SELECT mine_${id},COMMIT TRANSACTION`));
    });
    await dataSource.destroy();
  });
});

describe('Sequelize over SQL Server', () => {
  it('has one span for each query, and for the beginning and the end of a transaction', async () => {
    const sequelize = new Sequelize('shop', 'u', 'pw-secret', {
      dialect: 'mssql',
      host: '127.0.0.1',
      port: server.port,
      logging: false,
      dialectOptions: { options: { encrypt: false } },
      pool: { max: 1 },
    });
    await withDataApp({ providers: [{ provide: 'DB', useFactory: () => sequelize }] }, async (app) => {
      const work = (id: string) =>
        sequelize.transaction(async (transaction) => {
          await sequelize.query(`SELECT * FROM mine_${id} WHERE name = 'secret'`, { transaction });
        });
      const found = await childrenOfRequests(app, REQUESTS, work, REQUESTS.length * 3);
      expect(found).toEqual(REQUESTS.map((id) => `BEGIN,SELECT mine_${id},COMMIT`));
    });
    await sequelize.close();
  });
});

describe('Kysely over SQL Server', () => {
  async function withKysely(use: (app: DataApp, db: Kysely<unknown>) => Promise<void>): Promise<void> {
    const connectionFactory = () =>
      new Connection({
        server: '127.0.0.1',
        authentication: { type: 'default', options: { userName: 'u', password: 'pw-secret' } },
        options: { port: server.port, database: 'shop', encrypt: false },
      });
    const dialect = new MssqlDialect({
      tarn: { ...tarn, options: { min: 0, max: 1 } },
      tedious: { ...tedious, connectionFactory },
      validateConnections: false,
    });
    const db = new Kysely<unknown>({ dialect });
    await withDataApp({ providers: [{ provide: 'DB', useFactory: () => db }] }, (app) => use(app, db));
    await db.destroy();
  }

  it('has the spans of queries and transactions below their own request, behind a pool of one connection', async () => {
    await withKysely(async (app, db) => {
      const work = (id: string) =>
        db.transaction().execute(async (trx) => {
          await sql.raw(`SELECT * FROM mine_${id}`).execute(trx);
          await sql.raw(`SELECT * FROM mine_${id}`).execute(trx);
        });
      const found = await childrenOfRequests(app, REQUESTS, work, REQUESTS.length * 4);
      const names = (id: string) => `BEGIN TRANSACTION,SELECT mine_${id},SELECT mine_${id},COMMIT TRANSACTION`;
      expect(found).toEqual(REQUESTS.map(names));
    });
  });
});

describe('tedious', () => {
  it('has one span for each request of a connection that is a provider, and its events below the caller', async () => {
    const connection = new Connection({
      server: '127.0.0.1',
      authentication: { type: 'default', options: { userName: 'u', password: 'pw-secret' } },
      options: { port: server.port, database: 'shop', encrypt: false },
    });
    await new Promise<void>((resolve, reject) => {
      connection.connect((error) => (error ? reject(error) : resolve()));
    });
    const providers = [{ provide: 'DB', useFactory: () => connection }];
    await withDataApp({ providers, tracing: { data: { mssql: { parameters: true } } } }, async ({ run, traces }) => {
      const send = (text: string, parameters: object = {}) =>
        new Promise<void>((resolve, reject) => {
          const request = new Request(text, (error) => (error ? reject(error) : resolve()));
          for (const [name, value] of Object.entries(parameters)) request.addParameter(name, TYPES.Int, value);
          connection.execSql(request);
        });
      await run(async () => {
        await send('SELECT * FROM users WHERE id = @id', { id: 7 });
        await send('SELECT * FROM orders');
      });
      await traces.expect(
        runOf(shopQuery('SELECT users', { 'db.query.parameter.id': '7' }), shopQuery('SELECT orders')),
      );
      await expect(run(() => send('INSERT INTO duplicate VALUES (1)'))).rejects.toThrow('secret');
      await traces.expect(runOf(shopQuery('INSERT duplicate', DUPLICATE, failed)));
    });
    expect(Object.hasOwn(connection, 'execSql')).toBe(false);
    connection.close();
  });
});
