/** MikroORM 7, which needs a later Node than the oldest one here: a stand-in creates and uses its Kysely as it does. */
import { describe, expect, it } from '@jest/globals';
import {
  CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type Driver,
} from 'kysely';
import { query, runOf, withDataApp } from '../support/data-app.js';

type Execute = (compiled: CompiledQuery) => Promise<{ rows: object[] }>;

/** The connection of MikroORM 7, whose Kysely is created when it is first used. */
class SqlConnection {
  #client: Kysely<unknown> | undefined;
  connected = false;
  readonly options: Record<string, unknown> = {};

  constructor(
    private readonly execution: Execute,
    private readonly isAsync: boolean,
  ) {}

  async connect() {
    if (!this.#client) await this.createKysely();
    this.connected = true;
    await this.getClient().executeQuery(CompiledQuery.raw('select 1 from pg_database'));
  }

  createKysely(): Promise<void> | undefined {
    Object.assign(this.options, { host: 'db.internal', port: 6432, dbName: 'shop', password: 'pw-secret' });
    const create = () => {
      this.#client = kyselyOver(this.execution);
    };
    if (this.isAsync) return Promise.resolve().then(create);
    create();
    return undefined;
  }

  getClient(): Kysely<unknown> {
    if (!this.#client && this.createKysely()) throw new Error('use init() instead');
    return this.#client!;
  }

  async execute(text: string) {
    if (!this.connected) await this.connect();
    return (await this.#client!.executeQuery(CompiledQuery.raw(text))).rows;
  }
}

class Orm {
  readonly config = {};
  readonly driver = { replicas: [] as SqlConnection[] };
  readonly em: { getConnection: () => SqlConnection };

  constructor(readonly connection: SqlConnection) {
    this.em = { getConnection: () => connection };
  }

  getMetadata() {}
  reconnect() {}
}

function kyselyOver(executeQuery: Execute): Kysely<unknown> {
  const connection = { executeQuery, async *streamQuery() {} };
  const driver = Object.assign(new DummyDriver(), { acquireConnection: () => Promise.resolve(connection) }) as Driver;
  return new Kysely({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (instance) => new PostgresIntrospector(instance),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}

const select = () =>
  query('select users', {
    'db.system.name': 'postgresql',
    'db.namespace': 'shop',
    'db.query.text': 'select * from users where name = ?',
    'server.address': 'db.internal',
    'server.port': 6432,
  });

const TEXT = "select * from users where name = 'secret'";

describe('MikroORM 7', () => {
  it.each([
    ['that connects at its first query', false, false],
    ['that connects at its first query, asynchronously', true, false],
    ['that is connected', true, true],
  ])('%s has one span for each query, and none for connecting', async (_, isAsync, isConnected) => {
    const connection = new SqlConnection(() => Promise.resolve({ rows: [{ id: 7 }] }), isAsync);
    const orm = new Orm(connection);
    if (isConnected) await connection.connect();
    const own = Reflect.ownKeys(connection);
    await withDataApp({ providers: [{ provide: 'ORM', useValue: orm }] }, async ({ run, traces }) => {
      expect(connection.connected).toBe(isConnected);
      expect(await run(() => connection.execute(TEXT))).toEqual([{ id: 7 }]);
      await run(() => connection.execute(TEXT));
      await traces.expect(runOf(select()), runOf(select()));
    });
    expect(Reflect.ownKeys(connection)).toEqual(own);
  });

  it('has a span for a connection that cannot be opened', async () => {
    const error = Object.assign(new Error('for pw-secret'), { code: 'ECONNREFUSED' });
    const connection = new SqlConnection(() => Promise.reject(error), false);
    await withDataApp({ providers: [{ provide: 'ORM', useValue: new Orm(connection) }] }, async ({ run, traces }) => {
      await expect(run(() => connection.execute(TEXT))).rejects.toBe(error);
      await traces.until((spans) => spans.length === 3);
      expect(JSON.stringify(traces.spans.map(({ attributes, events }) => [attributes, events]))).not.toContain(
        'secret',
      );
      expect(traces.named('connect shop').attributes['error.type']).toBe('ECONNREFUSED');
    });
  });
});
