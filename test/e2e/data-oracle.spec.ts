/** Knex over oracledb. There is no server: the connections are stand-ins, which Knex uses as those of the driver. */
import { describe, expect, it } from '@jest/globals';
import knexOf, { type Knex } from 'knex';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { childrenOfRequests } from '../support/children-of-requests.js';
import { outside, query, runOf, withDataApp, type DataApp } from '../support/data-app.js';
import { freePort } from '../support/free-port.js';
import type { ExpectedSpan } from '../support/trace-tree.js';

type Callback = (error: Error | null, result?: object) => void;
type ClientClass = new (config: object) => { driver: object };

const load = createRequire(import.meta.url);
const Client = load('knex/lib/dialects/oracledb/index.js') as ClientClass;
const { monkeyPatchConnection } = load('knex/lib/dialects/oracledb/utils.js') as {
  monkeyPatchConnection(connection: object, client: object): void;
};

/** A connection with the methods of oracledb that Knex calls. It calls back in no context, as a socket would. */
class Connection {
  readonly oracleServerVersionString = '21.3.0.0.0';

  execute(text: string, _binds: unknown, _options: object, callback: Callback): void {
    const error = text.includes('duplicate')
      ? Object.assign(new Error('ORA-00001: unique constraint violated: secret'), { code: 'ORA-00001' })
      : null;
    const rows = [{ N: 1 }];
    const resultSet = {
      getRows: (_count: number, done: Callback) => done(null, rows),
      close: (done: Callback) => done(null),
    };
    outside(() => setImmediate(() => callback(error, { rows, rowsAffected: 1, resultSet })));
  }

  executeMany(): void {}

  queryStream(): Readable {
    return outside(() => Readable.from([{ N: 1 }]));
  }

  commit(callback: Callback): void {
    outside(() => setImmediate(() => callback(null)));
  }

  rollback(callback: Callback): void {
    this.commit(callback);
  }

  release(): Promise<void> {
    return Promise.resolve();
  }
}

class StandInClient extends Client {
  acquireRawConnection(): Promise<object> {
    const connection = new Connection();
    monkeyPatchConnection(connection, this);
    return Promise.resolve(connection);
  }
}

async function withKnex(
  use: (app: DataApp, knex: Knex) => Promise<void>,
  options: Partial<Knex.Config> = {},
): Promise<void> {
  const knex = knexOf({
    client: StandInClient as never,
    connection: { host: 'db.internal', port: 1522, user: 'u', password: 'pw-secret', database: 'shop' },
    pool: { min: 0, max: 1 },
    log: { warn: () => {} },
    ...options,
  });
  try {
    await withDataApp({ providers: [{ provide: 'DB', useFactory: () => knex }] }, (app) => use(app, knex));
  } finally {
    await knex.destroy();
  }
}

const shopQuery = (name: string, attributes: Record<string, unknown> = {}, details: Partial<ExpectedSpan> = {}) =>
  query(
    name,
    {
      'db.system.name': 'oracle.db',
      'db.namespace': 'shop',
      'server.address': 'db.internal',
      'server.port': 1522,
      ...attributes,
    },
    details,
  );

describe('Knex over Oracle', () => {
  it('has one span for each query, and for the end of a transaction', async () => {
    await withKnex(async ({ run, traces }, knex) => {
      await run(async () => {
        expect(await knex('users').where({ id: 7 }).select('name')).toEqual([{ N: 1 }]);
        await knex('users').where({ id: 7 }).del();
        await knex.transaction((trx) => trx.raw("UPDATE users SET name = 'secret'"));
      });
      await traces.expect(
        runOf(
          shopQuery('select users', { 'db.query.text': 'select "name" from "users" where "id" = :1' }),
          shopQuery('delete users'),
          shopQuery('UPDATE users', { 'db.query.text': 'UPDATE users SET name = ?' }),
          shopQuery('COMMIT'),
        ),
      );
    });
  });

  it('has the spans of queries below their own request, behind a pool of one connection', async () => {
    await withKnex(async (app, knex) => {
      const ids = ['1', '2', '3', '4'];
      const work = async (id: string) => {
        for (let i = 0; i < 2; i++) await knex.raw(`SELECT * FROM mine_${id}`);
      };
      const found = await childrenOfRequests(app, ids, work, ids.length * 2);
      expect(found).toEqual(ids.map((id) => `SELECT mine_${id},SELECT mine_${id}`));
    });
  });

  it('has one span for a stream, whose events come in the context of the caller', async () => {
    await withKnex(
      async ({ run, traces }, knex) => {
        await run(async () => {
          const stream = knex.raw('SELECT * FROM users').stream();
          const nested: Promise<unknown>[] = [];
          stream.on('data', () => nested.push(knex.raw('SELECT * FROM orders').then((rows: unknown) => rows)));
          await once(stream, 'end');
          await Promise.all(nested);
        });
        await traces.expect(runOf(shopQuery('SELECT users'), shopQuery('SELECT orders')));
      },
      { pool: { min: 0, max: 2 } },
    );
  });

  it('has the code of a failed query, and no message', async () => {
    await withKnex(async ({ run, traces }, knex) => {
      await expect(run(() => knex.raw('INSERT INTO duplicate VALUES (1)'))).rejects.toThrow('secret');
      await traces.until((spans) => spans.length === 3);
      const code = { 'error.type': 'ORA-00001', 'db.response.status_code': 'ORA-00001' };
      expect(traces.named('INSERT duplicate').attributes).toMatchObject(code);
      const said = JSON.stringify(traces.spans.map(({ attributes, events, status }) => [attributes, events, status]));
      expect(said).not.toContain('secret');
    });
  });

  it('has a span for a connection that the driver cannot open', async () => {
    const port = await freePort();
    const connection = { connectString: `127.0.0.1:${port}/shop`, user: 'u', password: 'pw-secret' };
    await withKnex(
      async ({ run, traces }, knex) => {
        await expect(run(() => knex.raw('SELECT 1 FROM dual'))).rejects.toThrow();
        await traces.until((spans) => spans.length === 3);
        const { attributes } = traces.named('connect shop');
        expect(attributes).toMatchObject({ 'server.address': '127.0.0.1', 'server.port': port });
        expect(attributes['error.type']).toMatch(/^NJS-\d+$/);
      },
      { client: 'oracledb', connection },
    );
  });
});
