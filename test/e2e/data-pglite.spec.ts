/** PGlite, a PostgreSQL in the process of the application. */
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { query, runOf, withDataApp } from '../support/data-app.js';

let database: PGlite;

beforeAll(async () => {
  database = await PGlite.create();
  await database.exec('CREATE TABLE users (id int PRIMARY KEY, name text)');
}, 60_000);

afterAll(() => database.close());

const pgQuery = (summary: string, text: string, details: Parameters<typeof query>[2] = {}) =>
  query(
    summary,
    { 'db.system.name': 'postgresql', 'db.query.summary': summary, 'db.query.text': text, ...details?.attributes },
    details,
  );

it('has one span for each query, also in a transaction', async () => {
  const own = Reflect.ownKeys(database);
  await withDataApp({ providers: [{ provide: 'DB', useValue: database }] }, async ({ run, traces }) => {
    await run(async () => {
      await database.query('INSERT INTO users VALUES ($1, $2)', [1, 'secret']);
      await database.exec("UPDATE users SET name = 'secret'");
      expect((await database.sql`SELECT * FROM users WHERE id = ${1}`).rows).toEqual([{ id: 1, name: 'secret' }]);
      const inTransaction = await database.transaction(async (transaction) => {
        await transaction.query('SELECT 1');
        return (await transaction.sql`SELECT name FROM users WHERE id = ${1}`).rows;
      });
      expect(inTransaction).toEqual([{ name: 'secret' }]);
    });
    await traces.expect(
      runOf(
        pgQuery('INSERT users', 'INSERT INTO users VALUES ($1, $2)'),
        pgQuery('UPDATE users', 'UPDATE users SET name = ?'),
        pgQuery('SELECT users', 'SELECT * FROM users WHERE id = $1'),
        pgQuery('SELECT', 'SELECT ?'),
        pgQuery('SELECT users', 'SELECT name FROM users WHERE id = ?'),
      ),
    );
  });
  expect(Reflect.ownKeys(database)).toEqual(own);
});

it('has its queries below their own request, and the code of an error', async () => {
  await withDataApp({ providers: [{ provide: 'DB', useValue: database }] }, async ({ run, traces }) => {
    const insert = () => run(() => database.query("INSERT INTO users VALUES (1, 'secret')"));
    await Promise.all([1, 2, 3].map(() => expect(insert()).rejects.toThrow('users_pkey')));
    await traces.until((spans) => spans.length === 9);
    const spans = traces.take();
    expect(JSON.stringify(spans.map(({ attributes, events, status }) => [attributes, events, status]))).not.toContain(
      'secret',
    );
    const inserts = spans.filter(({ name }) => name === 'INSERT users');
    expect(inserts.map(({ attributes }) => attributes['error.type'])).toEqual(['23505', '23505', '23505']);
    expect(new Set(inserts.map((span) => span.spanContext().traceId)).size).toBe(3);
  });
});

it('leaves the errors of the application as they are', async () => {
  await withDataApp({ providers: [{ provide: 'DB', useValue: database }] }, async ({ run }) => {
    const work = () => Promise.reject(new Error('mine'));
    const error: unknown = await run(() => database.transaction(work)).catch((thrown: unknown) => thrown);
    expect((error as Error).message).toBe('mine');
    expect((error as Error).stack).not.toMatch(/lib.data/);
  });
});
