/** The promises for pg, which hold for the embedded PostgreSQL and for a real one. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, type ModuleMetadata } from '@nestjs/common';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { trace } from '@opentelemetry/api';
import { Client, Pool, Query, type PoolClient, type PoolConfig } from 'pg';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';
import { expectOwnSpans } from './contention.js';
import { query, runOf, withDataApp, type DataApp, type DataAppOptions } from './data-app.js';
import { freePort } from './free-port.js';
import type { PostgresServer } from './postgres-server.js';
import type { ExpectedSpan } from './trace-tree.js';
import { unhandledRejections } from './unhandled-rejections.js';

type PoolApp = DataApp & { readonly pool: Pool };

export function describePg(start: () => Promise<PostgresServer>): void {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await start();
    const client = new Client(connection());
    await client.connect();
    await client.query('DROP TABLE IF EXISTS users');
    await client.query('CREATE TABLE users (id int PRIMARY KEY, name text UNIQUE)');
    await client.query("INSERT INTO users SELECT n, 'name' || n FROM generate_series(1, 20) n");
    for (const id of [1, 2, 3, 4]) await client.query(`CREATE OR REPLACE VIEW mine_${id} AS SELECT 1 AS n`);
    await client.end();
  }, 60_000);

  afterAll(() => server.stop());

  function connection(): PoolConfig {
    const { database, port, user } = server;
    return { host: '127.0.0.1', port, user, database, password: 'pw-secret' };
  }

  /** Runs an application with a pool of one connection among its providers. */
  async function withPool(
    use: (app: PoolApp) => Promise<void>,
    { pool: poolOptions, ...options }: DataAppOptions & { pool?: PoolConfig } = {},
  ): Promise<void> {
    const pool = new Pool({ ...connection(), max: 1, ...poolOptions });
    pool.on('error', () => {});
    try {
      await withDataApp({ ...options, providers: [{ provide: 'PG', useFactory: () => pool }] }, (app) =>
        use({ ...app, pool }),
      );
    } finally {
      if (!pool.ending) await pool.end();
    }
  }

  function pgQuery(summary: string, text: string, details: Partial<ExpectedSpan> = {}): ExpectedSpan {
    const { attributes, ...rest } = details;
    return query(
      summary,
      {
        'db.system.name': 'postgresql',
        'db.namespace': server.database,
        'db.query.summary': summary,
        'db.query.text': text,
        'server.address': '127.0.0.1',
        'server.port': server.port,
        'db.operation.name': undefined,
        'db.response.status_code': undefined,
        'error.type': undefined,
        ...attributes,
      },
      rest,
    );
  }

  const USERS = 'SELECT * FROM users WHERE id = $1';
  const users = () => pgQuery('SELECT users', USERS);

  describe('each form of pg', () => {
    const forms: Record<string, (pool: Pool) => unknown> = {
      'pool.query() with a promise': (pool) => pool.query(USERS, [7]),
      'pool.query() with a callback': (pool) => new Promise((resolve) => pool.query(USERS, [7], resolve)),
      'pool.query() with an object': (pool) => pool.query({ text: USERS, values: [7] }),
      'a prepared statement': (pool) => pool.query({ name: 'users-by-id', text: USERS, values: [7] }),
      'client.query() with a promise': async (pool) => {
        const client = await pool.connect();
        await client.query(USERS, [7]);
        client.release();
      },
      'client.query() with callbacks': (pool) =>
        new Promise<void>((resolve) => {
          pool.connect((_error, client, release) => {
            client!.query(USERS, [7], () => {
              release();
              resolve();
            });
          });
        }),
      'client.query() with a callback in an object': async (pool) => {
        const client = await pool.connect();
        await new Promise((resolve) => {
          void client.query({ text: USERS, values: [7], callback: resolve } as never);
        });
        client.release();
      },
      'a query with events': async (pool) => {
        const client = await pool.connect();
        await once(client.query(new Query(USERS, [7])), 'end');
        client.release();
      },
      'a cursor': async (pool) => {
        const client = await pool.connect();
        const cursor = client.query(new Cursor(USERS, [7]));
        expect(await cursor.read(1)).toHaveLength(1);
        await cursor.close();
        client.release();
      },
      'a stream': async (pool) => {
        const client = await pool.connect();
        for await (const row of client.query(new QueryStream(USERS, [7]))) expect(row).toMatchObject({ id: 7 });
        client.release();
      },
    };

    it.each(Object.entries(forms))('%s has one span, below its caller', async (_, work) => {
      await withPool(async ({ pool, run, traces }) => {
        await run(() => work(pool));
        await traces.expect(runOf(users()));
      });
    });

    it('names a transaction statement by statement', async () => {
      await withPool(async ({ pool, run, traces }) => {
        await run(async () => {
          const client = await pool.connect();
          await client.query('BEGIN');
          await client.query("UPDATE users SET name = 'x' WHERE id = 1");
          await client.query('ROLLBACK');
          client.release();
        });
        const update = pgQuery('UPDATE users', 'UPDATE users SET name = ? WHERE id = ?');
        await traces.expect(runOf(pgQuery('BEGIN', 'BEGIN'), update, pgQuery('ROLLBACK', 'ROLLBACK')));
      });
    });

    it('follows promises of a class of the application, which may settle without a call of then()', async () => {
      /** A promise as that of Bluebird, whose further methods do not call the method `then()` of the object. */
      class EagerPromise<T> extends Promise<T> {
        tap(listener: (value: T) => void): Promise<unknown> {
          return super.then((value) => {
            listener(value);
            return value;
          });
        }
      }
      await withPool(
        async ({ pool, run, traces }) => {
          await run(async () => {
            const client = (await (pool.connect() as EagerPromise<PoolClient>).tap(() => {})) as PoolClient;
            const pending = client.query(USERS, [7]) as unknown as EagerPromise<unknown>;
            expect(pending).toBeInstanceOf(EagerPromise);
            await pending.tap(() => {});
            client.release();
          });
          await traces.expect(runOf(users()));
        },
        { pool: { Promise: EagerPromise } },
      );
    });

    it('has the queries of a class that gets its clients by the method of its parent', async () => {
      class Database extends Pool {
        async find(id: number): Promise<unknown> {
          const client = await super.connect();
          try {
            return await client.query(USERS, [id]);
          } finally {
            client.release();
          }
        }

        override connect(): never {
          throw new Error('use find()');
        }
      }
      const database = new Database({ ...connection(), max: 1 });
      await withDataApp({ providers: [{ provide: Database, useValue: database }] }, async ({ run, traces }) => {
        await run(() => database.find(7));
        await run(() => database.find(8));
        await traces.expect(runOf(users()), runOf(users()));
      });
      await database.end();
    });

    it('finds a client that is no pool', async () => {
      const client = new Client(connection());
      await client.connect();
      const providers: ModuleMetadata['providers'] = [{ provide: Client, useValue: client }];
      await withDataApp({ providers }, async ({ run, traces }) => {
        await run(() => client.query(USERS, [7]));
        await traces.expect(runOf(users()));
      });
      await client.end();
    });
  });

  describe('behind a pool of one connection', () => {
    const mine = (id: number) => `SELECT * FROM mine_${id}`;

    it.each<[string, (pool: Pool, id: number) => Promise<unknown>]>([
      [
        'promises',
        async (pool, id) => {
          await pool.query(mine(id));
          await pool.query(mine(id));
          await pool.query(mine(id));
        },
      ],
      [
        'callbacks',
        (pool, id) =>
          new Promise((resolve) => {
            pool.query(mine(id), () => pool.query(mine(id), () => pool.query(mine(id), resolve)));
          }),
      ],
      [
        'clients that are acquired with a callback',
        (pool, id) =>
          new Promise<void>((resolve) => {
            pool.connect((_error, client, release) => {
              client!.query(mine(id), () => {
                client!.query(mine(id), () => {
                  release();
                  setTimeout(() => pool.query(mine(id), () => resolve()), 1);
                });
              });
            });
          }),
      ],
      [
        'cursors that are read with callbacks, and events',
        async (pool, id) => {
          const client = await pool.connect();
          await new Promise<void>((resolve) => {
            const cursor = client.query(new Cursor(mine(id)));
            cursor.read(1, () => {
              cursor.close(() => {
                client.query(new Query(mine(id))).on('end', () => {
                  client.query(mine(id), () => resolve());
                });
              });
            });
          });
          client.release();
        },
      ],
      [
        'streams',
        async (pool, id) => {
          const client = await pool.connect();
          await new Promise<void>((resolve) => {
            const first = client.query(new QueryStream(mine(id)));
            first
              .on('data', () => {})
              .once('close', () => {
                client
                  .query(new QueryStream(mine(id)))
                  .on('data', () => {})
                  .once('close', () => {
                    client.query(mine(id), () => resolve());
                  });
              });
          });
          client.release();
        },
      ],
      [
        'streams that are destroyed early',
        async (pool, id) => {
          const client = await pool.connect();
          await new Promise<void>((resolve, reject) => {
            const stream = client.query(new QueryStream(`SELECT * FROM mine_${id}, generate_series(1, 500)`));
            stream.once('data', () => stream.destroy(new Error('enough')));
            stream.once('error', () => {
              client.query(mine(id), (error) => (error ? reject(error) : undefined));
            });
            stream.once('close', () => {
              client.query(mine(id), (error) => (error ? reject(error) : resolve()));
            });
          });
          client.release();
        },
      ],
    ])('the queries of %s are below their own request', async (_, work) => {
      await withPool(async (app) => {
        const { pool, run, traces } = app;
        // The socket, and what the pool keeps, are created in this request.
        await run(() => pool.query('SELECT 1'));
        await traces.expect(runOf(pgQuery('SELECT', 'SELECT ?')));
        await expectOwnSpans(app, (id) => work(pool, id), 3);
      });
    });

    it('opens clients outside of requests, also while another one is idle', async () => {
      await withPool(
        async ({ pool, run }) => {
          const spans: unknown[] = [];
          pool.on('connect', () => spans.push(trace.getActiveSpan()));
          await run(() => pool.query('SELECT 1'));
          await run(() => Promise.all(Array.from({ length: 3 }, () => pool.query('SELECT 1'))));
          expect(spans).toEqual([undefined, undefined, undefined]);
        },
        { pool: { max: 3 } },
      );
    });

    it('a notification comes outside of the request that has opened the connection', async () => {
      const client = new Client(connection());
      await withDataApp({ providers: [{ provide: Client, useValue: client }] }, async ({ run, traces }) => {
        await run(async () => {
          await client.connect();
          await client.query('LISTEN news');
        });
        await traces.expect(runOf(pgQuery('LISTEN', 'LISTEN news')));
        const handled = new Promise((resolve) => {
          client.on('notification', () => {
            client.query(USERS, [7], resolve);
          });
        });
        await client.query('NOTIFY news');
        await handled;
        expect(traces.spans).toEqual([]);
      });
      await client.end();
    });

    it('records how long a query has waited for the connection', async () => {
      await withPool(async ({ pool, run, traces }) => {
        await run(async () => {
          const client = await pool.connect();
          const waiting = pool.query(USERS, [7]);
          await wait(30);
          client.release();
          await waiting;
        });
        await traces.until((spans) => spans.length === 3);
        const { attributes } = traces.named('SELECT users');
        expect(attributes['db.client.connection.wait_time']).toBeGreaterThan(0.02);
      });
    });
  });

  describe('a failure', () => {
    const failed = (type: string, statusCode: string | undefined): Partial<ExpectedSpan> => ({
      status: 'ERROR',
      attributes: { 'error.type': type, 'db.response.status_code': statusCode },
    });

    it.each<[string, (pool: Pool) => Promise<unknown>]>([
      ['a promise', (pool) => pool.query("INSERT INTO users VALUES (99, 'name1')")],
      [
        'a callback',
        (pool) =>
          new Promise((_, reject) => {
            pool.query("INSERT INTO users VALUES (99, 'name1')", reject);
          }),
      ],
      [
        'an event',
        async (pool) => {
          const client = await pool.connect();
          try {
            await once(client.query(new Query("INSERT INTO users VALUES (99, 'name1')")), 'end');
          } finally {
            client.release();
          }
        },
      ],
    ])('of the database has its code, and reaches the caller of %s unchanged', async (_, work) => {
      await withPool(async ({ pool, run, traces }) => {
        await expect(run(() => work(pool))).rejects.toMatchObject({
          code: '23505',
          detail: 'Key (name)=(name1) already exists.',
        });
        await traces.expect(
          runOf(pgQuery('INSERT users', 'INSERT INTO users VALUES (?, ?)', failed('23505', '23505'))),
        );
      });
    });

    it('of a cursor ends its span', async () => {
      await withPool(async ({ pool, run, traces }) => {
        const work = async () => {
          const client = await pool.connect();
          try {
            await client.query(new Cursor('SELECT * FROM missing')).read(1);
          } finally {
            client.release();
          }
        };
        await expect(run(work)).rejects.toMatchObject({ code: '42P01' });
        await traces.expect(runOf(pgQuery('SELECT missing', 'SELECT * FROM missing', failed('42P01', '42P01'))));
      });
    });

    it('to read a row is one of a query with events', async () => {
      await withPool(async ({ pool, run, traces }) => {
        const work = async () => {
          const client = await pool.connect();
          client.setTypeParser(23, () => {
            throw new RangeError('no number');
          });
          try {
            await once(client.query(new Query(USERS, [7])), 'end');
          } finally {
            client.release(true);
          }
        };
        await expect(run(work)).rejects.toThrow('no number');
        await traces.expect(runOf(pgQuery('SELECT users', USERS, failed('RangeError', undefined))));
      });
    });

    it('to connect to the server of variables of the environment names that server', async () => {
      const { PGHOST, PGPORT } = process.env;
      const port = await freePort();
      Object.assign(process.env, { PGHOST: '127.0.0.1', PGPORT: String(port) });
      try {
        const pool = new Pool({ user: 'ada' });
        await withDataApp({ providers: [{ provide: 'PG', useValue: pool }] }, async ({ run, traces }) => {
          await expect(run(() => pool.query(USERS, [7]))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
          const attributes = { 'error.type': 'ECONNREFUSED', 'server.port': port, 'db.namespace': 'ada' };
          await traces.expect(runOf(pgQuery('SELECT users', USERS, { status: 'ERROR', attributes })));
        });
      } finally {
        Object.assign(process.env, { PGHOST, PGPORT });
        if (PGHOST === undefined) delete process.env.PGHOST;
        if (PGPORT === undefined) delete process.env.PGPORT;
      }
    });

    it('of a client without a pool to connect has a span of its own', async () => {
      const port = await freePort();
      const client = new Client({ ...connection(), port });
      await withDataApp({ providers: [{ provide: Client, useValue: client }] }, async ({ run, traces }) => {
        await expect(run(() => client.connect())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
        const attributes = { 'error.type': 'ECONNREFUSED', 'server.port': port };
        await traces.expect(runOf(query(`connect ${server.database}`, attributes, { status: 'ERROR' })));
      });
    });

    it('to connect is one of the query, of which nothing else is known', async () => {
      const port = await freePort();
      await withPool(
        async ({ pool, run, traces }) => {
          await expect(run(() => pool.query(USERS, [7]))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
          const attributes = { 'error.type': 'ECONNREFUSED', 'server.port': port };
          await traces.expect(runOf(pgQuery('SELECT users', USERS, { status: 'ERROR', attributes })));
        },
        { pool: { port } },
      );
    });

    it('to connect without a query has a span of its own', async () => {
      const port = await freePort();
      await withPool(
        async ({ pool, run, traces }) => {
          await expect(run(() => pool.connect())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
          const attributes = { 'db.system.name': 'postgresql', 'error.type': 'ECONNREFUSED', 'server.port': port };
          await traces.expect(runOf(query(`connect ${server.database}`, attributes, { status: 'ERROR' })));
        },
        { pool: { port } },
      );
    });

    it('is shown by its type alone on the spans around it, because its message quotes values', async () => {
      const pool = new Pool({ ...connection(), max: 1 });
      @Controller()
      class UsersController {
        @Get('users')
        create() {
          return pool.query("INSERT INTO users VALUES (99, 'name1')");
        }
      }
      const providers: ModuleMetadata['providers'] = [{ provide: 'PG', useValue: pool }];
      await withDataApp({ controllers: [UsersController], providers }, async ({ request, traces }) => {
        await request('/users');
        await traces.until((spans) => spans.length === 3);
        const spans = traces
          .take()
          .map(({ attributes, events, name, status }) => ({ attributes, events, name, status }));
        expect(JSON.stringify(spans)).not.toMatch(/name1|pw-secret|users_name_key/);
        expect(JSON.stringify(spans)).toContain('"error.type":"23505"');
      });
      await pool.end();
    });
  });

  describe('the application', () => {
    it('sees the same results, and the same errors with the same stack', async () => {
      const seen: unknown[] = [];
      for (const tracing of [{}, false] as const) {
        await withPool(
          async ({ pool, run }) => {
            const { command, fields, rowCount, rows } = await run(() => pool.query(USERS, [7]));
            const error = await run(async () => failHere(await pool.connect()));
            seen.push({ command, fields, rowCount, rows, ...error });
          },
          { tracing },
        );
      }
      expect(seen[0]).toEqual(seen[1]);
      expect(seen[0]).toMatchObject({ name: 'error', code: '42P01', rowCount: 1 });
      expect((seen[0] as Error).stack).toContain('failHere');
    });

    it('sees the same stack of an error that its pool creates at once', async () => {
      const stacks: string[] = [];
      for (const tracing of [{}, false] as const) {
        await withPool(
          async ({ pool, run }) => {
            await pool.end();
            const stackOf = (call: (callback: (error?: Error) => void) => unknown) =>
              run(() => new Promise<string | undefined>((resolve) => void call((error) => resolve(error?.stack))));
            const found = [
              await stackOf((callback) => pool.connect(callback)),
              await stackOf(async (callback) =>
                callback((await pool.connect().catch((error: unknown) => error as Error)) as Error),
              ),
              await stackOf((callback) => pool.query('SELECT 1', callback)),
            ];
            stacks.push(found.map((stack) => stack?.split('\n').slice(0, 5).join('\n')).join('\n'));
          },
          { tracing },
        );
      }
      expect(stacks[0]).toContain('Cannot use a pool');
      expect(stacks[0]).toBe(stacks[1]);
    });

    async function failHere(client: PoolClient): Promise<object> {
      try {
        await client.query('SELECT * FROM missing');
        return {};
      } catch (error) {
        const { code, message, name, stack } = error as Error & { code: string };
        return {
          code,
          message,
          name,
          keys: Object.keys(error as object),
          stack: stack!.split('\n').slice(0, 4).join('\n'),
        };
      } finally {
        client.release();
      }
    }

    it('sees no listener, no other class, and no enumerable property', async () => {
      await withPool(async ({ pool, run }) => {
        const client = await run(() => pool.connect());
        expect(pool.eventNames()).toEqual(['error']);
        expect(pool).toBeInstanceOf(Pool);
        expect(Object.keys(pool)).not.toEqual(expect.arrayContaining(['query', 'connect', 'emit']));
        expect(Object.keys(client)).not.toContain('query');
        expect([client.query.name, client.query.length]).toEqual(['query', 3]);
        client.release();
      });
    });

    it('handles rejections itself, or not', async () => {
      await withPool(async ({ pool, run }) => {
        const unhandled = await unhandledRejections(() =>
          run(async () => {
            const client = await pool.connect();
            void client.query('SELECT * FROM missing');
            await client.query('SELECT 1');
            await client.query('SELECT * FROM missing').catch(() => {});
            client.release();
          }),
        );
        expect(unhandled).toMatchObject([{ code: '42P01' }]);
      });
    });

    it('gets its pool back as it was, when it has shut down', async () => {
      const pool = new Pool({ ...connection(), max: 1 });
      const providers: ModuleMetadata['providers'] = [{ provide: 'PG', useValue: pool }];
      await withDataApp({ providers }, async ({ run }) => {
        await run(() => pool.query('SELECT 1'));
      });
      const own = (target: object) =>
        Object.getOwnPropertyNames(target).filter((name) => ['query', 'connect', 'emit'].includes(name));
      expect(own(pool)).toEqual([]);
      const client = await pool.connect();
      expect(own(client)).toEqual([]);
      client.release();
      await pool.end();
    });

    it('shares its pool with another application', async () => {
      const pool = new Pool({ ...connection(), max: 1 });
      const providers: ModuleMetadata['providers'] = [{ provide: 'PG', useValue: pool }];
      await withDataApp({ providers }, async (first) => {
        await withDataApp({ providers }, async ({ run }) => {
          await run(() => pool.query(USERS, [7]));
          await first.traces.until((spans) => spans.length === 3);
          expect(first.traces.take().filter(({ name }) => name === 'SELECT users')).toHaveLength(1);
        });
        await first.run(() => pool.query(USERS, [7]));
        await first.traces.expect(runOf(users()));
      });
      await pool.end();
    });
  });
}
