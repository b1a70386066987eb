/** Sequelize, over pg and over mysql2. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { getConnectionToken, SequelizeModule } from '@nestjs/sequelize';
import { DataTypes, Sequelize, UniqueConstraintError, type Options } from 'sequelize';
import { query, runOf, withDataApp, type DataApp } from '../support/data-app.js';
import { freePort } from '../support/free-port.js';
import { startMysqlServer, type MysqlServer } from '../support/mysql-server.js';
import { startEmbeddedPostgres, type PostgresServer } from '../support/postgres-server.js';
import type { ExpectedSpan } from '../support/trace-tree.js';

type SequelizeApp = DataApp & { readonly sequelize: Sequelize };

let server: PostgresServer;
let mysql: MysqlServer;

beforeAll(async () => {
  server = await startEmbeddedPostgres();
  mysql = await startMysqlServer();
}, 60_000);

afterAll(async () => {
  await server.stop();
  await mysql.stop();
});

const pg = (): Options => ({
  dialect: 'postgres',
  host: '127.0.0.1',
  port: server.port,
  username: server.user,
  password: 'pw-secret',
  database: server.database,
  logging: false,
  pool: { max: 1 },
});

async function withSequelize(options: Options, use: (app: SequelizeApp) => Promise<void>): Promise<void> {
  const sequelize = new Sequelize(options);
  try {
    await withDataApp({ providers: [{ provide: Sequelize, useFactory: () => sequelize }] }, (app) =>
      use({ ...app, sequelize }),
    );
  } finally {
    await sequelize.close();
  }
}

const defineUser = (sequelize: Sequelize) =>
  sequelize.define('user', { name: { type: DataTypes.STRING, unique: true } }, { timestamps: false });

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

describe('Sequelize over pg', () => {
  it('has one span for each query, without values', async () => {
    await withSequelize(pg(), async ({ run, sequelize, traces }) => {
      const users = defineUser(sequelize);
      await users.sync({ force: true });
      await run(async () => {
        await users.create({ name: 'secret' });
        await sequelize.transaction((transaction) => users.findOne({ where: { name: 'secret' }, transaction }));
        await sequelize.query("SELECT * FROM users WHERE name = 'secret'");
      });
      await traces.expect(
        runOf(
          pgQuery('INSERT users'),
          pgQuery('START TRANSACTION'),
          pgQuery('SELECT users'),
          pgQuery('COMMIT'),
          pgQuery('SELECT users', { attributes: { 'db.query.text': 'SELECT * FROM users WHERE name = ?' } }),
        ),
      );
    });
  });

  it('has no span for what a new connection asks, and its queries below their own request', async () => {
    await withSequelize(pg(), async ({ run, sequelize, traces }) => {
      await Promise.all([1, 2, 3, 4].map((n) => run(() => sequelize.query(`SELECT ${n} AS n`))));
      await traces.expect(...[1, 2, 3, 4].map(() => runOf(pgQuery('SELECT'))));
    });
  });

  it('has the code of a failed query, and no message', async () => {
    await withSequelize(pg(), async ({ run, sequelize, traces }) => {
      const users = defineUser(sequelize);
      await users.sync({ force: true });
      await users.create({ name: 'secret' });
      const error: unknown = await run(() => users.create({ name: 'secret' })).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UniqueConstraintError);
      await traces.until((spans) => spans.length === 3);
      const spans = traces.take();
      const insert = spans.find(({ name }) => name === 'INSERT users');
      expect(insert?.attributes).toMatchObject({ 'error.type': '23505', 'db.response.status_code': '23505' });
      expect(JSON.stringify(spans.map(({ attributes, events, status }) => [attributes, events, status]))).not.toContain(
        'secret',
      );
    });
  });

  it('has a span for a connection that is refused', async () => {
    const port = await freePort();
    await withSequelize({ ...pg(), port }, async ({ run, sequelize, traces }) => {
      await expect(run(() => sequelize.query('SELECT 1'))).rejects.toThrow();
      await traces.until((spans) => spans.length === 3);
      const connect = traces.take().find(({ name }) => name === `connect ${server.database}`);
      expect(connect?.attributes).toMatchObject({ 'error.type': 'ECONNREFUSED' });
    });
  });

  it('is found as Nest provides it, and is as it was at the end', async () => {
    let found: Sequelize | undefined;
    const hooksOf = (sequelize: Sequelize) => [
      sequelize.hasHook('beforeQuery'),
      (Reflect.get(sequelize, 'options') as { hooks?: object }).hooks,
    ];
    const untouched = hooksOf(new Sequelize(pg()));
    await withDataApp({ imports: [SequelizeModule.forRoot({ ...pg(), models: [] })] }, async ({ app, run, traces }) => {
      found = app.get<Sequelize>(getConnectionToken());
      const ran: unknown[] = [];
      expect(hooksOf(found)).toEqual(untouched);
      found.addHook('beforeQuery', (_options, query) => void ran.push(query));
      await run(() => found!.query('SELECT 1'));
      expect(ran).toHaveLength(1);
      await traces.expect(runOf(pgQuery('SELECT')));
    });
    for (const name of ['databaseVersion', 'runHooks']) expect(Object.hasOwn(found!, name)).toBe(false);
  });
});

describe('Sequelize over mysql2', () => {
  const options = (): Options => ({
    dialect: 'mysql',
    host: '127.0.0.1',
    port: mysql.port,
    username: 'u',
    database: 'shop',
    logging: false,
    pool: { max: 1 },
  });

  it('has one span for each query, and none for those of a new connection', async () => {
    await withSequelize(options(), async ({ run, sequelize, traces }) => {
      await run(() => sequelize.query('SELECT * FROM users WHERE id = 7'));
      await traces.expect(
        runOf(
          query('SELECT users', {
            'db.system.name': 'mysql',
            'db.namespace': 'shop',
            'db.query.text': 'SELECT * FROM users WHERE id = ?',
            'server.port': mysql.port,
          }),
        ),
      );
    });
  });

  it('has the code of a failed query', async () => {
    await withSequelize(options(), async ({ run, sequelize, traces }) => {
      await expect(run(() => sequelize.query('INSERT INTO duplicate VALUES (1)'))).rejects.toBeDefined();
      await traces.until((spans) => spans.length === 3);
      const spans = traces.take();
      expect(spans.find(({ name }) => name === 'INSERT duplicate')?.attributes).toMatchObject({ 'error.type': '1062' });
      expect(JSON.stringify(spans.map(({ events, status }) => [events, status]))).not.toContain('secret');
    });
  });
});
