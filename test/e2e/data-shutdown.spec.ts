/** A query that has no result when its application shuts down. */
import { describe, expect, it } from '@jest/globals';
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, type Driver } from 'kysely';
import { outside, withDataApp, type DataApp } from '../support/data-app.js';
import { deferred } from '../support/deferred.js';

interface Tables {
  users: { id: number };
}

/** An instance of Kysely whose queries have a result when the test gives it. */
function slowKysely() {
  const result = deferred<{ rows: Tables['users'][] }>();
  const connection = { executeQuery: () => result.promise, async *streamQuery() {} };
  const driver = Object.assign(new DummyDriver(), { acquireConnection: () => Promise.resolve(connection) }) as Driver;
  const db = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (instance) => new PostgresIntrospector(instance),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  return { db, result };
}

const found = ({ traces }: DataApp) =>
  traces.spans
    .filter(({ name }) => name === 'select users')
    .map(({ attributes, events, status }) => ({
      events: events.map(({ name }) => name),
      type: attributes['error.type'],
      status: status.code,
    }));

const START = { events: ['query pending at shutdown'], type: undefined, status: 0 };

describe('a query without a result', () => {
  it('has a span that says so when the application has shut down, and its result later on', async () => {
    const { db, result } = slowKysely();
    let pending: Promise<unknown> | undefined;
    let closed: DataApp | undefined;
    await withDataApp({ providers: [{ provide: 'DB', useValue: db }] }, async (app) => {
      closed = app;
      await app.run(async () => {
        pending = db.selectFrom('users').selectAll().execute();
        await app.traces.untilOpen(3);
      });
      expect(found(app)).toEqual([]);
    });
    expect(found(closed!)).toEqual([START]);
    result.resolve({ rows: [{ id: 7 }] });
    expect(await pending).toEqual([{ id: 7 }]);
    expect(found(closed!)).toEqual([START]);
  });

  it('is left to another application that lives on', async () => {
    const { db, result } = slowKysely();
    const providers = [{ provide: 'DB', useValue: db }];
    await withDataApp({ providers }, async (first) => {
      let pending: Promise<unknown> | undefined;
      await withDataApp({ providers }, async () => {
        await first.run(async () => {
          pending = db.selectFrom('users').selectAll().execute();
          await first.traces.untilOpen(3);
        });
      });
      expect(found(first)).toEqual([]);
      result.resolve({ rows: [] });
      await outside(() => pending);
      await first.traces.until(() => found(first).length === 1);
      expect(found(first)).toEqual([{ ...START, events: [] }]);
    });
  });
});
