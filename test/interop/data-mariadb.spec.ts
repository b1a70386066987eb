/** mysql2 with a real MariaDB: what the embedded server of the other tests cannot do. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createPool, type Pool } from 'mysql2';
import { expectOwnSpans } from '../support/contention.js';
import { query, runOf, withDataApp } from '../support/data-app.js';
import type { ExpectedSpan } from '../support/trace-tree.js';
import { startMariadb, type MariadbServer } from './support/databases.js';

let server: MariadbServer;
let pool: Pool;

beforeAll(async () => {
  server = await startMariadb();
  const options = { host: '127.0.0.1', port: server.port, user: 'root', multipleStatements: true, connectionLimit: 1 };
  pool = createPool(options);
  const promises = pool.promise();
  await promises.query('CREATE DATABASE shop');
  await new Promise((resolve) => pool.end(resolve));
  pool = createPool({ ...options, database: 'shop' });
  await pool.promise().query('CREATE TABLE users (id int PRIMARY KEY, name varchar(50) UNIQUE)');
  await pool.promise().query("INSERT INTO users SELECT seq, CONCAT('name', seq) FROM seq_1_to_500");
  for (const id of [1, 2, 3, 4]) await pool.promise().query(`CREATE VIEW mine_${id} AS SELECT 1 AS n`);
}, 120_000);

afterAll(async () => {
  await new Promise((resolve) => pool.end(resolve));
  await server.stop();
});

function shopQuery(summary: string, text: string, details: Partial<ExpectedSpan> = {}): ExpectedSpan {
  const { attributes, ...rest } = details;
  return query(
    summary,
    { 'db.namespace': 'shop', 'db.query.text': text, 'server.port': server.port, ...attributes },
    rest,
  );
}

describe('mysql2 with MariaDB', () => {
  it('has a span for values of any kind, and for several statements at once', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      await run(async () => {
        const text = 'SELECT * FROM users WHERE name = ? AND id IN (?) AND id > ?';
        await pool.promise().query(text, ["o'name\\", [1, 2, 3], 0]);
        await pool.promise().execute('SELECT * FROM users WHERE id = ?', [7]);
        const [results] = await pool
          .promise()
          .query("SELECT 1; INSERT INTO users VALUES (-1, 'one'); DELETE FROM users WHERE id = -1");
        expect(results).toHaveLength(3);
      });
      await traces.expect(
        runOf(
          shopQuery('SELECT users', 'SELECT * FROM users WHERE name = ? AND id IN (?) AND id > ?'),
          shopQuery('SELECT users', 'SELECT * FROM users WHERE id = ?'),
          shopQuery(
            'SELECT INSERT users DELETE users',
            'SELECT ?; INSERT INTO users VALUES (-?, ?); DELETE FROM users WHERE id = -?',
          ),
        ),
      );
    });
  });

  it('has one span for a stream of many rows, which keeps its back-pressure', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      await run(async () => {
        const stream = pool.query('SELECT * FROM users').stream({ highWaterMark: 5 });
        let count = 0;
        for await (const row of stream) {
          expect(row).toHaveProperty('name');
          count++;
          expect(stream.readableLength).toBeLessThanOrEqual(5);
        }
        expect(count).toBe(500);
      });
      await traces.expect(runOf(shopQuery('SELECT users', 'SELECT * FROM users')));
    });
  });

  it('records the number of an error, and never its message', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      const insert = () => pool.promise().execute('INSERT INTO users VALUES (?, ?)', [1000, 'name1']);
      await expect(run(insert)).rejects.toMatchObject({ errno: 1062, message: expect.stringContaining('name1') });
      const attributes = { 'error.type': '1062', 'db.response.status_code': '1062' };
      await traces.expect(
        runOf(shopQuery('INSERT users', 'INSERT INTO users VALUES (?, ?)', { status: 'ERROR', attributes })),
      );
    });
  });

  it('ends the span of a query that another connection kills', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      const killer = createPool({ host: '127.0.0.1', port: server.port, user: 'root', connectionLimit: 1 });
      const work = async () => {
        const connection = await pool.promise().getConnection();
        const sleeping = connection.query('SELECT SLEEP(20)');
        setTimeout(() => void killer.query(`KILL QUERY ${connection.threadId}`), 50);
        try {
          return await sleeping;
        } finally {
          connection.release();
        }
      };
      await run(work).catch(() => {});
      await traces.until((spans) => spans.some(({ name }) => name === 'SELECT'));
      expect(traces.named('SELECT').attributes['db.query.text']).toBe('SELECT SLEEP(?)');
      await new Promise((resolve) => killer.end(resolve));
    });
  });

  it.each<[string, (id: number) => Promise<unknown>]>([
    [
      'promises',
      async (id) => {
        await pool.promise().query(`SELECT * FROM mine_${id}`);
        await pool.promise().execute(`SELECT * FROM mine_${id}`);
      },
    ],
    [
      'callbacks',
      (id) =>
        new Promise((resolve) => {
          pool.execute(`SELECT * FROM mine_${id}`, () => pool.query(`SELECT * FROM mine_${id}`, resolve));
        }),
    ],
    [
      'events',
      async (id) => {
        await once(pool.query(`SELECT * FROM mine_${id}`), 'end');
        await once(pool.query(`SELECT * FROM mine_${id}`), 'end');
      },
    ],
  ])('keeps the queries of %s below their own request, behind a pool of one', async (_, work) => {
    await withDataApp({}, (app) => expectOwnSpans(app, work, 2));
  });
});
