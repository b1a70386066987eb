/** MongoDB: mongoose by its channels, and the objects of the driver. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Inject, Injectable } from '@nestjs/common';
import { getConnectionToken, getModelToken, MongooseModule } from '@nestjs/mongoose';
import { SpanStatusCode } from '@opentelemetry/api';
import mongoose, { mongo, Schema, type Connection, type Model } from 'mongoose';
import type { TracingOptions } from 'nestjs-tracing';
import { DataSource, EntitySchema } from 'typeorm';
import { query, runOf, withDataApp, type DataApp } from '../support/data-app.js';
import { startMongoServer, type MongoServer } from '../support/mongo-server.js';
import type { ExpectedSpan } from '../support/trace-tree.js';

interface Cat {
  name: string;
  friend?: unknown;
}

let server: MongoServer;

beforeAll(async () => {
  server = await startMongoServer();
});

beforeEach(() => {
  server.commands.length = 0;
});

afterAll(() => server.stop());

function mongoQuery(operation: string, collection: string | undefined, details: Partial<ExpectedSpan> = {}) {
  return query(
    collection === undefined ? `${operation} shop` : `${operation} ${collection}`,
    {
      'db.system.name': 'mongodb',
      'db.namespace': 'shop',
      'db.operation.name': operation,
      'db.collection.name': collection,
      'db.query.text': undefined,
      'server.address': '127.0.0.1',
      'server.port': server.port,
      ...details.attributes,
    },
    details,
  );
}

describe('mongoose', () => {
  type MongooseApp = DataApp & { readonly cats: Model<Cat>; readonly connection: Connection };

  async function withMongoose(
    use: (app: MongooseApp) => Promise<void>,
    { collection = 'cats', tracing = {} }: { collection?: string; tracing?: Omit<TracingOptions, 'exporter'> } = {},
  ): Promise<void> {
    const schema = new Schema<Cat>({ name: String, friend: { type: Schema.Types.Mixed, ref: 'Cat' } }, { collection });
    const uri = `mongodb://127.0.0.1:${server.port}/shop`;
    const imports = [
      MongooseModule.forRoot(uri, { maxPoolSize: 1, autoIndex: false, autoCreate: false }),
      MongooseModule.forFeature([{ name: 'Cat', schema }]),
    ];
    await withDataApp({ imports, tracing }, (app) =>
      use({ ...app, cats: app.app.get(getModelToken('Cat')), connection: app.app.get(getConnectionToken()) }),
    );
  }

  it('has one span for each operation, with names and without values', async () => {
    await withMongoose(async ({ cats, run, traces }) => {
      await run(async () => {
        await cats.find({ name: 'secret' });
        await cats.create({ name: 'secret' });
        await cats.insertMany([{ name: 'a' }, { name: 'b' }]);
        await cats.aggregate([{ $match: { name: 'secret' } }]);
        await cats.updateOne({ name: 'secret' }, { name: 'other' });
      });
      await traces.until((spans) => spans.length === 7);
      expect(
        JSON.stringify(traces.spans.map(({ attributes, events, name }) => [attributes, events, name])),
      ).not.toMatch(/secret|other/);
      await traces.expect(
        runOf(
          mongoQuery('find', 'cats'),
          mongoQuery('save', 'cats'),
          mongoQuery('insertMany', 'cats', { attributes: { 'db.operation.batch.size': 2 } }),
          mongoQuery('aggregate', 'cats'),
          mongoQuery('updateOne', 'cats'),
        ),
      );
    });
  });

  it('has its operations below their own request, behind a pool of one connection', async () => {
    await withMongoose(
      async ({ cats, run, traces }) => {
        await run(() => cats.find());
        await Promise.all([1, 2, 3].map(() => run(() => cats.find())));
        await traces.expect(...[0, 1, 2, 3].map(() => runOf(mongoQuery('find', 'slow'))));
      },
      { collection: 'slow' },
    );
  });

  it('has the commands of the driver that no channel announces: those of cursors and of native collections', async () => {
    await withMongoose(
      async ({ cats, connection, run, traces }) => {
        await run(async () => {
          for await (const cat of cats.find().cursor()) expect(cat).toBeDefined();
          await connection.db!.collection('other').insertOne({ name: 'secret' });
          await cats.collection.countDocuments({});
        });
        await traces.expect(
          runOf(
            mongoQuery('find', 'many'),
            mongoQuery('getMore', 'many'),
            mongoQuery('insert', 'other'),
            mongoQuery('aggregate', 'many'),
          ),
        );
      },
      { collection: 'many' },
    );
  });

  it('has the code of a failed operation, and no message', async () => {
    await withMongoose(
      async ({ cats, run, traces }) => {
        const error: unknown = await run(() => cats.create({ name: 'secret' })).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(mongo.MongoServerError);
        expect((error as Error).message).toContain('secret');
        await traces.until((spans) => spans.length === 3);
        const spans = traces.spans.map(({ attributes, events, status }) => [attributes, events, status]);
        expect(JSON.stringify(spans)).not.toContain('secret');
        const save = traces.spans.find(({ name }) => name === 'save duplicates');
        expect(save?.attributes).toMatchObject({ 'error.type': '11000', 'db.response.status_code': '11000' });
        expect(save?.status).toEqual({ code: SpanStatusCode.ERROR });
      },
      { collection: 'duplicates' },
    );
  });

  it('runs a query once when a span is around it', async () => {
    await withMongoose(async ({ cats, run }) => {
      const found = await run(() => cats.find().exec());
      expect(found).toHaveLength(2);
      expect(server.commands).toEqual(['find cats']);
    });
  });

  it('has an operation within a hook below the operation that calls the hook', async () => {
    const schema = new Schema<Cat>({ name: String }, { collection: 'cats' });
    schema.pre('save', async function () {
      await (this.constructor as Model<Cat>).findOne({ name: this.name });
    });
    const connection = await mongoose.createConnection(`mongodb://127.0.0.1:${server.port}/shop`).asPromise();
    const cats = connection.model('Cat', schema);
    await withDataApp({}, async ({ run, traces }) => {
      await run(() => cats.create({ name: 'a' }));
      await traces.expect(runOf(mongoQuery('save', 'cats', { children: [mongoQuery('findOne', 'cats')] })));
    });
    await connection.close();
  });
});

describe('the driver', () => {
  let client: mongo.MongoClient;

  beforeAll(async () => {
    client = await new mongo.MongoClient(`mongodb://127.0.0.1:${server.port}`, { maxPoolSize: 1 }).connect();
  });

  afterAll(() => client.close());

  const withClient = (use: (app: DataApp) => Promise<void>, provider: object = client) =>
    withDataApp({ providers: [{ provide: 'MONGO', useValue: provider }] }, use);

  it('is found as a client that is connected already', async () => {
    await withClient(async ({ run, traces }) => {
      await run(async () => {
        const cats = client.db('shop').collection('cats');
        await cats.findOne({ name: 'secret' });
        await cats.insertMany([{ name: 'a' }, { name: 'b' }]);
        await cats.deleteOne({});
        await cats.findOneAndUpdate({}, { $set: { a: 1 } });
        await cats.aggregate([]).toArray();
        await client.db('shop').command({ ping: 1 });
      });
      await traces.expect(
        runOf(
          mongoQuery('find', 'cats'),
          mongoQuery('insert', 'cats', { attributes: { 'db.operation.batch.size': 2 } }),
          mongoQuery('delete', 'cats'),
          mongoQuery('findAndModify', 'cats'),
          mongoQuery('aggregate', 'cats'),
          mongoQuery('ping', undefined),
        ),
      );
    });
  });

  it('has lists of operations, cursors of commands, and the administration of the server', async () => {
    await withClient(async ({ run, traces }) => {
      await run(async () => {
        const db = client.db('shop');
        const bulk = db.collection('cats').initializeOrderedBulkOp();
        bulk.insert({ name: 'secret' });
        await bulk.execute();
        await db.runCursorCommand({ find: 'cats', filter: { name: 'secret' } }).toArray();
        await db.admin().ping();
        await db.admin().listDatabases();
        await db.renameCollection('cats', 'dogs');
      });
      const admin = { name: 'ping admin', attributes: { 'db.namespace': 'admin' } };
      await traces.expect(
        runOf(
          mongoQuery('bulkWrite', 'cats'),
          mongoQuery('find', 'cats'),
          mongoQuery('ping', undefined, admin),
          mongoQuery('listDatabases', undefined, { ...admin, name: 'listDatabases admin' }),
          mongoQuery('renameCollection', undefined),
        ),
      );
    });
  });

  it('is found below TypeORM', async () => {
    const cat = new EntitySchema<{ _id: string; name: string }>({
      name: 'Cat',
      tableName: 'cats',
      columns: { _id: { type: String, objectId: true, primary: true }, name: { type: String } },
    });
    const url = `mongodb://127.0.0.1:${server.port}/shop`;
    const dataSource = await new DataSource({ type: 'mongodb', url, entities: [cat] }).initialize();
    await withClient(async ({ run, traces }) => {
      await run(() => dataSource.getMongoRepository(cat).countBy({ name: 'secret' }));
      await traces.expect(runOf(mongoQuery('count', 'cats')));
    }, dataSource);
    await dataSource.destroy();
  });

  it.each(['database', 'collection'])('is found as a %s', async (what) => {
    const db = client.db('shop');
    const collection = db.collection('cats');
    await withClient(
      async ({ run, traces }) => {
        await run(() => (what === 'database' ? db.collection('cats') : collection).find().toArray());
        await traces.expect(runOf(mongoQuery('find', 'cats')));
      },
      what === 'database' ? db : collection,
    );
  });

  it.each<[string, (db: mongo.Db) => Promise<unknown>]>([
    ['a constructor has asked for', (db) => Promise.resolve(db.collection('cats'))],
    ['it has just created', (db) => db.createCollection('cats')],
    ['it has renamed', (db) => db.renameCollection('dogs', 'cats')],
    ['it has listed', async (db) => (await db.collections())[0]],
  ])('has the commands of a collection that %s', async (_, collectionOf) => {
    @Injectable()
    class CatsRepository {
      readonly cats: mongo.Collection;
      constructor(@Inject('MONGO') mongoClient: mongo.MongoClient) {
        this.cats = mongoClient.db('shop').collection('cats');
      }
    }
    const providers = [{ provide: 'MONGO', useValue: client }, CatsRepository];
    await withDataApp({ providers }, async ({ app, run, traces }) => {
      const other = (await collectionOf(client.db('shop'))) as mongo.Collection;
      traces.reset();
      await run(() => app.get(CatsRepository).cats.countDocuments());
      await run(() => other.countDocuments());
      await traces.expect(runOf(mongoQuery('aggregate', 'cats')), runOf(mongoQuery('aggregate', 'cats')));
    });
  });

  it('has the commands of a transaction', async () => {
    await withClient(async ({ run, traces }) => {
      await run(() =>
        client.withSession((session) =>
          session.withTransaction(() => client.db('shop').collection('cats').insertOne({ a: 1 }, { session })),
        ),
      );
      const admin = { name: 'commitTransaction admin', attributes: { 'db.namespace': 'admin' } };
      await traces.expect(runOf(mongoQuery('insert', 'cats'), mongoQuery('commitTransaction', undefined, admin)));
    });
  });

  it('has its commands below their own request, behind a pool of one connection', async () => {
    await withClient(async ({ run, traces }) => {
      const cats = client.db('shop').collection('slow');
      await Promise.all([1, 2, 3].map(() => run(() => cats.find().toArray())));
      await traces.expect(...[1, 2, 3].map(() => runOf(mongoQuery('find', 'slow'))));
    });
  });

  it.each([
    ['duplicates', '11000'],
    ['forbidden', '13'],
  ])('has the code of an error of the server: %s', async (name, code) => {
    await withClient(async ({ run, traces }) => {
      const error: unknown = await run(() => client.db('shop').collection(name).insertOne({ name: 'secret' })).catch(
        (thrown: unknown) => thrown,
      );
      expect((error as Error).message).toContain('secret');
      await traces.until((spans) => spans.length === 3);
      const spans = traces.take();
      expect(spans.find((span) => span.name === `insert ${name}`)?.attributes).toMatchObject({
        'error.type': code,
        'db.response.status_code': code,
      });
      expect(JSON.stringify(spans.map(({ attributes, events, status }) => [attributes, events, status]))).not.toContain(
        'secret',
      );
    });
  });

  it('is as it was when the application has shut down', async () => {
    const db = client.db('shop');
    const before = [Object.getOwnPropertyNames(client), Object.getOwnPropertyNames(db)];
    await withClient(() => Promise.resolve());
    await withClient(() => Promise.resolve(), db);
    expect([Object.getOwnPropertyNames(client), Object.getOwnPropertyNames(db)]).toEqual(before);
  });
});
