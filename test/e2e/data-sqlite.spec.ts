/** SQLite in the process: a stand-in has the members of `better-sqlite3`, which is compiled when it is installed. */
import { describe, expect, it } from '@jest/globals';
import { Kysely, SqliteDialect } from 'kysely';
import { query, runOf, withDataApp } from '../support/data-app.js';

const ROWS = [{ id: 1 }, { id: 2 }];

class SqliteError extends Error {
  readonly code = 'SQLITE_CONSTRAINT_UNIQUE';
}

class Statement {
  readonly reader = true;
  constructor(readonly source: string) {}
  raw() {
    return this;
  }
  run(..._parameters: unknown[]) {
    if (this.source.includes('duplicate')) throw new SqliteError('UNIQUE constraint failed: secret');
    return { changes: 1, lastInsertRowid: 1 };
  }
  get(..._parameters: unknown[]) {
    return ROWS[0];
  }
  all(..._parameters: unknown[]) {
    return ROWS;
  }
  *iterate(..._parameters: unknown[]) {
    yield* ROWS;
  }
}

class Database {
  readonly name = ':memory:';
  readonly inTransaction = false;
  prepare(source: string) {
    if (source.includes('syntax error')) throw new SqliteError('near "secret": syntax error');
    return new Statement(source);
  }
  exec(_source: string) {
    return this;
  }
  transaction(work: () => unknown) {
    return work;
  }
  pragma() {}
  loadExtension() {}
  close() {}
}

const sqliteQuery = (summary: string, details: Parameters<typeof query>[2] = {}) =>
  query(
    summary,
    { 'db.system.name': 'sqlite', 'db.namespace': ':memory:', 'db.query.summary': summary, ...details?.attributes },
    details,
  );

const TEXT = 'SELECT * FROM users WHERE id = ?';

describe('a database of better-sqlite3', () => {
  it('has one span for each call of a statement', async () => {
    const database = new Database();
    const own = Reflect.ownKeys(database);
    await withDataApp({ providers: [{ provide: 'DB', useValue: database }] }, async ({ run, traces }) => {
      await run(() => {
        const statement = database.prepare(TEXT);
        expect(statement.get(7)).toBe(ROWS[0]);
        expect(statement.all(7)).toBe(ROWS);
        expect([...statement.iterate(7)]).toEqual(ROWS);
        for (const row of statement.iterate(7)) {
          expect(row).toBe(ROWS[0]);
          break;
        }
        expect(database.exec("DELETE FROM users WHERE name = 'secret'")).toBe(database);
        expect(statement).toBeInstanceOf(Statement);
        expect(Object.keys(statement).toSorted()).toEqual(['reader', 'source']);
      });
      const select = () => sqliteQuery('SELECT users', { attributes: { 'db.query.text': TEXT } });
      await traces.expect(runOf(select(), select(), select(), select(), sqliteQuery('DELETE users')));
    });
    expect(Reflect.ownKeys(database)).toEqual(own);
  });

  it('has the code of an error, also of a statement that cannot be prepared', async () => {
    const database = new Database();
    await withDataApp({ providers: [{ provide: 'DB', useValue: database }] }, async ({ run, traces }) => {
      const attributes = { 'error.type': 'SQLITE_CONSTRAINT_UNIQUE' };
      const failed = { status: 'ERROR', attributes } as const;
      for (const text of ["INSERT INTO duplicate VALUES ('x')", 'SELECT syntax error']) {
        await expect(run(() => database.prepare(text).run())).rejects.toThrow('secret');
        await traces.until((spans) => spans.length === 3);
        const said = JSON.stringify(traces.spans.map((span) => [span.attributes, span.events, span.status]));
        expect(said).not.toContain('secret');
        await traces.expect(runOf(sqliteQuery(text.startsWith('INSERT') ? 'INSERT duplicate' : 'SELECT', failed)));
      }
    });
  });

  it('is found in a database of Drizzle', async () => {
    const $client = new Database();
    const database = { $client, dialect: {}, session: {}, select() {}, insert() {} };
    await withDataApp({ providers: [{ provide: 'DB', useValue: database }] }, async ({ run, traces }) => {
      await run(() => void $client.prepare(TEXT).all());
      await traces.expect(runOf(sqliteQuery('SELECT users')));
    });
  });

  it('has the spans of Kysely, if it is a provider', async () => {
    const database = new Database();
    const kysely = new Kysely<{ users: { id: number } }>({
      dialect: new SqliteDialect({ database }),
    });
    const providers = [
      { provide: 'DB', useValue: database },
      { provide: 'KYSELY', useValue: kysely },
    ];
    await withDataApp({ providers }, async ({ run, traces }) => {
      expect(await run(() => kysely.selectFrom('users').selectAll().execute())).toEqual(ROWS);
      await traces.expect(runOf(sqliteQuery('select users')));
    });
  });
});
