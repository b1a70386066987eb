/** MikroORM 7, which needs a later Node than the oldest one here: a stand-in creates and uses its Kysely, or its client of MongoDB, as it does. */
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
import { mongo } from 'mongoose';
import { query, runOf, withDataApp } from '../support/data-app.js';
import { startMongoServer } from '../support/mongo-server.js';

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
  readonly em: { getConnection: () => object };

  constructor(connection: object) {
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

/** The connection of MikroORM to MongoDB. Version 6 creates its client when it connects, and version 7 when the client is asked for. */
class MongoConnection {
  connected = false;
  #client: mongo.MongoClient | undefined;
  #db: mongo.Db | undefined;

  constructor(private readonly url: string) {}

  async connect() {
    this.getClient();
    await Promise.resolve();
    this.connected = true;
  }

  createClient() {
    this.#client = new mongo.MongoClient(this.url, { maxPoolSize: 1 });
    this.#db = this.#client.db('shop');
  }

  getClient(): mongo.MongoClient {
    if (!this.#client) this.createClient();
    return this.#client!;
  }

  getDb(): mongo.Db {
    this.getClient();
    return this.#db!;
  }

  async find(name: string) {
    if (!this.connected) await this.connect();
    return this.getDb().collection(name).find({ name: 'secret' }).toArray();
  }
}

/** Without this method, it is the connection of MikroORM 6. */
class OldMongoConnection extends MongoConnection {
  override createClient = undefined as never;
  readonly #created: { readonly client: mongo.MongoClient; readonly db: mongo.Db };

  constructor(url: string) {
    super(url);
    const client = new mongo.MongoClient(url, { maxPoolSize: 1 });
    this.#created = { client, db: client.db('shop') };
  }

  override getClient() {
    return this.#created.client;
  }

  override getDb() {
    return this.#created.db;
  }
}

describe('MikroORM over MongoDB', () => {
  it.each<[string, typeof MongoConnection, boolean]>([
    ['of version 7 that connects at its first query', MongoConnection, false],
    ['of version 7 that is connected', MongoConnection, true],
    ['of version 6 that connects at its first query', OldMongoConnection, false],
    ['of version 6 that is connected', OldMongoConnection, true],
  ])('%s has one span for each command', async (_, Connection, isConnected) => {
    const server = await startMongoServer();
    const connection = new Connection(`mongodb://127.0.0.1:${server.port}`);
    if (isConnected) await connection.connect();
    const own = Reflect.ownKeys(connection);
    await withDataApp({ providers: [{ provide: 'ORM', useValue: new Orm(connection) }] }, async ({ run, traces }) => {
      await run(() => connection.find('cats'));
      await traces.expect(
        runOf(
          query('find cats', {
            'db.system.name': 'mongodb',
            'db.namespace': 'shop',
            'db.collection.name': 'cats',
            'db.query.text': undefined,
            'server.port': server.port,
          }),
        ),
      );
    });
    expect(Reflect.ownKeys(connection)).toEqual(own);
    expect(Object.hasOwn(connection.getDb(), 'collection')).toBe(false);
    await connection.getClient().close();
    await server.stop();
  });
});
