/** SQLite in the process: a stand-in has the members of `better-sqlite3`, which is compiled when it is installed. */
import { describe, expect, it } from '@jest/globals';
import { Inject, Injectable } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { Kysely, SqliteDialect } from 'kysely';
import { setTimeout } from 'node:timers/promises';
import { outside, query, runOf, withDataApp } from '../support/data-app.js';

const ROWS = [{ id: 1 }, { id: 2 }];

class SqliteError extends Error {
  readonly code = 'SQLITE_CONSTRAINT_UNIQUE';
}

class Statement {
  readonly reader = true;
  readonly database = { name: ':memory:' };
  constructor(readonly source: string) {}
  raw() {
    return this;
  }
  pluck() {}
  columns() {}
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
  pragma(_source?: string) {}
  loadExtension() {}
  close() {}
}

/** A database of `node:sqlite`, which the oldest Node here does not have. */
class DatabaseSync {
  open() {}
  close() {}
  exec() {}
  createSession() {}
  applyChangeset() {}
  location() {
    return '/data/shop.db';
  }
  prepare(text: string) {
    return { sourceSQL: text, setReadBigInts() {}, columns() {}, run() {}, get() {}, all: () => ROWS, iterate() {} };
  }
  createTagStore() {
    return {
      run: (_strings: TemplateStringsArray, ..._values: unknown[]) => ({ changes: 1 }),
      get: (_strings: TemplateStringsArray, ..._values: unknown[]) => ROWS[0],
      all: (_strings: TemplateStringsArray, ..._values: unknown[]) => ROWS,
      iterate: (_strings: TemplateStringsArray, ..._values: unknown[]) => ROWS.values(),
    };
  }
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
        expect(Object.keys(statement).toSorted()).toEqual(['database', 'reader', 'source']);
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

  it('throws its errors without frames of the library, although they are made without the constructor of `Error`', async () => {
    const database = new Database();
    database.prepare = () => {
      const error = Object.create(SqliteError.prototype) as SqliteError;
      Error.captureStackTrace(error);
      throw error;
    };
    await withDataApp({ providers: [{ provide: 'DB', useValue: database }] }, async ({ run, traces }) => {
      const error: unknown = await run(() => database.prepare(TEXT)).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(SqliteError);
      expect((error as Error).stack).toContain('data-sqlite.spec');
      expect((error as Error).stack).not.toMatch(/lib.data/);
      await traces.until((spans) => spans.some(({ name }) => name === 'SELECT users'));
    });
  });

  it('has its pragmas', async () => {
    const database = new Database();
    await withDataApp({ providers: [{ provide: 'DB', useValue: database }] }, async ({ run, traces }) => {
      await run(() => database.pragma("key = 'secret'"));
      await traces.expect(runOf(sqliteQuery('PRAGMA', { attributes: { 'db.query.text': 'PRAGMA key = ?' } })));
    });
  });

  it('has the statements that a constructor has prepared and keeps in a property, or got from an asynchronous factory', async () => {
    @Injectable()
    class Repository {
      readonly shown: Statement;
      readonly #hidden: Statement;

      constructor(@Inject('VALUE') value: Database, @Inject('CREATED') created: Database) {
        this.shown = value.prepare(TEXT);
        this.#hidden = created.prepare(TEXT);
      }

      hidden() {
        return this.#hidden.all();
      }
    }
    const factory = () => setTimeout(10).then(() => new Database());
    const providers = [
      { provide: 'VALUE', useValue: new Database() },
      { provide: 'CREATED', useFactory: factory },
      Repository,
    ];
    let repository: Repository | undefined;
    await withDataApp({ providers }, async ({ app, run, traces }) => {
      repository = app.get(Repository);
      await run(() => app.get(Repository).shown.all());
      await run(() => app.get(Repository).hidden());
      await traces.expect(runOf(sqliteQuery('SELECT users')), runOf(sqliteQuery('SELECT users')));
    });
    expect(Object.getOwnPropertyNames(repository?.shown).toSorted()).toEqual(['database', 'reader', 'source']);
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

describe('a database of node:sqlite', () => {
  const shop = (summary: string, text: string, parameters: Record<string, string> = {}) => {
    const attributes = { 'db.namespace': '/data/shop.db', 'db.query.text': text, ...parameters };
    return sqliteQuery(summary, { attributes });
  };

  it('has the name of its file, and the statements of its tags', async () => {
    const database = new DatabaseSync();
    const providers = [{ provide: 'DB', useValue: database }];
    await withDataApp({ providers, tracing: { data: { parameters: true } } }, async ({ run, traces }) => {
      await run(() => {
        const sql = database.createTagStore();
        expect(database.prepare('SELECT * FROM users').all()).toBe(ROWS);
        expect(sql.get`SELECT * FROM users WHERE id = ${7}`).toBe(ROWS[0]);
        expect(sql.run`DELETE FROM users WHERE id = ${7} AND name = 'secret'`).toEqual({ changes: 1 });
        expect([...sql.iterate`SELECT * FROM users`]).toEqual(ROWS);
      });
      const parameters = { 'db.query.parameter.0': '7' };
      await traces.expect(
        runOf(
          shop('SELECT users', 'SELECT * FROM users'),
          shop('SELECT users', 'SELECT * FROM users WHERE id = ?', parameters),
          shop('DELETE users', 'DELETE FROM users WHERE id = ? AND name = ?', parameters),
          shop('SELECT users', 'SELECT * FROM users'),
        ),
      );
    });
  });
});

type Callback = (this: unknown, error: Error | null, result?: unknown) => void;

/** A database of `sqlite3`, which calls back when a socket of its own would: in no context. */
class CallbackDatabase {
  readonly filename = '/data/shop.db';
  run(...args: unknown[]) {
    const error = String(args[0]).includes('duplicate') ? new SqliteError('UNIQUE constraint failed: secret') : null;
    const callback = args.at(-1);
    if (typeof callback === 'function')
      setImmediate(() => outside(() => Reflect.apply(callback, { lastID: 7 }, [error, ROWS])));
    return this;
  }
  get = this.run;
  all = this.run;
  exec = this.run;
  each(_text: string, onRow: Callback, onEnd: Callback) {
    setImmediate(() => {
      for (const row of ROWS) onRow.call(this, null, row);
      onEnd.call(this, null, ROWS.length);
    });
    return this;
  }
  prepare(text: string) {
    return { run: (callback: Callback) => this.run(text, callback), get() {}, all() {}, each() {} };
  }
  serialize() {}
  parallelize() {}
  configure() {}
}

describe('a database of sqlite3', () => {
  it('has a span for each call with a callback, which runs in the context of the caller', async () => {
    const database = new CallbackDatabase();
    const own = Reflect.ownKeys(database);
    await withDataApp({ providers: [{ provide: 'DB', useValue: database }] }, async ({ run, traces }) => {
      await run(async () => {
        const active = trace.getActiveSpan();
        const ended = (call: (callback: Callback) => unknown) =>
          new Promise((resolve, reject) => {
            call(function (error, result) {
              expect(trace.getActiveSpan()).toBe(active);
              if (error) reject(error);
              else resolve([this, result]);
            });
          });
        expect(await ended((callback) => database.run(TEXT, 7, callback))).toEqual([{ lastID: 7 }, ROWS]);
        const rows: unknown[] = [];
        await ended((callback) => database.each(TEXT, (_error, row) => rows.push(row), callback));
        expect(rows).toEqual(ROWS);
        const statement = database.prepare(TEXT);
        await ended((callback) => statement.run(callback));
        await expect(ended((callback) => database.exec('INSERT INTO duplicate', callback))).rejects.toThrow('secret');
        expect(database.run(TEXT)).toBe(database);
      });
      const attributes = { 'db.namespace': '/data/shop.db' };
      const select = sqliteQuery('SELECT users', { attributes });
      const failed = { ...attributes, 'error.type': 'SQLITE_CONSTRAINT_UNIQUE' };
      const insert = sqliteQuery('INSERT duplicate', { status: 'ERROR', attributes: failed });
      await traces.expect(runOf(select, select, select, insert));
    });
    expect(Reflect.ownKeys(database)).toEqual(own);
  });
});
