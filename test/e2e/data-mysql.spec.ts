/** Queries of mysql2 over a real socket. Behind the pool of one connection, a hook that comes late is in the context of another request. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { hasSubscribers } from 'node:diagnostics_channel';
import { once, type EventEmitter } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { trace } from '@opentelemetry/api';
import mysql, { type Pool } from 'mysql2';
import type { Pool as PromisePool } from 'mysql2/promise';
import { expectOwnSpans } from '../support/contention.js';
import { query, runOf, withDataApp } from '../support/data-app.js';
import { freePort } from '../support/free-port.js';
import { startMysqlServer, type MysqlServer } from '../support/mysql-server.js';
import type { ExpectedSpan } from '../support/trace-tree.js';

let server: MysqlServer;

beforeAll(async () => {
  server = await startMysqlServer();
});

afterAll(() => server.stop());

/** Calls `use` with a pool of one connection. */
async function withPool(
  use: (pool: Pool, promises: PromisePool) => Promise<void>,
  options: object = {},
): Promise<void> {
  const pool = mysql.createPool({
    host: '127.0.0.1',
    port: server.port,
    user: 'u',
    password: 'pw-secret',
    database: 'shop',
    connectionLimit: 1,
    ...options,
  });
  try {
    await use(pool, pool.promise());
  } finally {
    await new Promise((resolve) => pool.end(resolve));
  }
}

/** The span of a query of the shop. */
function shopQuery(summary: string, text: string, details: Partial<ExpectedSpan> = {}): ExpectedSpan {
  const { attributes, ...rest } = details;
  return query(
    summary,
    {
      'db.system.name': 'mysql',
      'db.namespace': 'shop',
      'db.query.summary': summary,
      'db.query.text': text,
      'server.address': '127.0.0.1',
      'server.port': server.port,
      'db.operation.name': undefined,
      'db.collection.name': undefined,
      'db.response.status_code': undefined,
      'error.type': undefined,
      ...attributes,
    },
    rest,
  );
}

const users = () => shopQuery('SELECT users', 'SELECT * FROM users WHERE id = ?');
const USERS = 'SELECT * FROM users WHERE id = 7';

describe('each form of mysql2', () => {
  const forms: Record<string, (pool: Pool, promises: PromisePool) => unknown> = {
    'query() with a promise': (_, promises) => promises.query(USERS),
    'query() with a callback': (pool) => new Promise((resolve) => pool.query(USERS, resolve)),
    'query() with values': (_, promises) => promises.query('SELECT * FROM users WHERE id = ?', [7]),
    'execute() with a promise': (_, promises) => promises.execute('SELECT * FROM users WHERE id = ?', [7]),
    'execute() with a callback': (pool) =>
      new Promise((resolve) => pool.execute('SELECT * FROM users WHERE id = ?', [7], resolve)),
    'query() of a connection': async (_, promises) => {
      const connection = await promises.getConnection();
      await connection.query(USERS);
      connection.release();
    },
    'query() of a connection with callbacks': (pool) =>
      new Promise<void>((resolve) => {
        pool.getConnection((_error, connection) => {
          connection.query(USERS, () => {
            connection.release();
            resolve();
          });
        });
      }),
    'execute() of a prepared statement': async (_, promises) => {
      const connection = await promises.getConnection();
      const statement = await connection.prepare('SELECT * FROM users WHERE id = ?');
      const [rows] = await statement.execute([7]);
      expect(rows).toHaveLength(2);
      connection.release();
    },
    'execute() of a prepared statement with callbacks': (pool) =>
      new Promise<void>((resolve) => {
        pool.getConnection((_error, connection) => {
          connection.prepare('SELECT * FROM users WHERE id = ?', (_failure, statement) => {
            statement.execute([7], (error, rows) => {
              expect([error, rows]).toEqual([null, expect.arrayContaining([expect.anything()])]);
              connection.release();
              resolve();
            });
          });
        });
      }),
    'execute() of a prepared statement with events': (pool) =>
      new Promise<void>((resolve, reject) => {
        pool.getConnection((_error, connection) => {
          connection.prepare('SELECT * FROM users WHERE id = ?', (_failure, statement) => {
            const command = statement.execute([7]) as unknown as EventEmitter;
            command.on('error', reject).on('end', () => {
              connection.release();
              resolve();
            });
          });
        });
      }),
    'query() as a stream': async (pool) => {
      for await (const row of pool.query(USERS).stream()) expect(row).toHaveProperty('n');
    },
    'query() with events': async (pool) => {
      await once(pool.query(USERS), 'end');
    },
  };

  it.each(Object.entries(forms))('%s has one span, below its caller', async (_, work) => {
    await withDataApp({}, async ({ run, traces }) => {
      await withPool(async (pool, promises) => {
        await run(() => work(pool, promises));
        await traces.expect(runOf(users()));
      });
    });
  });

  it('gives the same results with and without tracing', async () => {
    const results: unknown[] = [];
    for (const tracing of [{}, false] as const) {
      await withDataApp({ tracing }, async ({ run }) => {
        await withPool(async (_, promises) => {
          const [rows, fields] = await run(() => promises.query(USERS));
          const [executed] = await run(() => promises.execute('SELECT * FROM users WHERE id = ?', [7]));
          results.push(JSON.stringify([rows, fields, executed]));
        });
      });
    }
    expect(results[0]).toBe(results[1]);
    expect(results[0]).toContain('"n":"1"');
  });

  it('names a transaction statement by statement', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      await withPool(async (_, promises) => {
        await run(async () => {
          const connection = await promises.getConnection();
          await connection.beginTransaction();
          await connection.query("INSERT INTO orders (name) VALUES ('x')");
          await connection.commit();
          connection.release();
        });
        await traces.expect(
          runOf(
            shopQuery('START TRANSACTION', 'START TRANSACTION'),
            shopQuery('INSERT orders', 'INSERT INTO orders (name) VALUES (?)'),
            shopQuery('COMMIT', 'COMMIT'),
          ),
        );
      });
    });
  });

  it('finds the queries of a pool cluster', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      const cluster = mysql.createPoolCluster();
      cluster.add('A', { host: '127.0.0.1', port: server.port, user: 'u', database: 'shop', connectionLimit: 1 });
      await run(() => new Promise((resolve) => cluster.of('*').query(USERS, resolve)));
      await traces.expect(runOf(users()));
      await new Promise((resolve) => cluster.end(resolve));
    });
  });
});

describe('behind a pool of one connection', () => {
  const mine = (id: number) => `SELECT * FROM mine_${id}`;

  it.each<[string, (pool: Pool, promises: PromisePool, id: number) => Promise<unknown>]>([
    [
      'promises',
      async (_, promises, id) => {
        await promises.query(mine(id));
        await promises.execute(mine(id));
        await promises.query(mine(id));
      },
    ],
    [
      'callbacks',
      (pool, _, id) =>
        new Promise((resolve) => {
          pool.query(mine(id), () => pool.execute(mine(id), () => pool.query(mine(id), resolve)));
        }),
    ],
    [
      'connections that are acquired with a callback',
      (pool, _, id) =>
        new Promise((resolve) => {
          pool.getConnection((_error, connection) => {
            connection.query(mine(id), () => {
              connection.query(mine(id), () => {
                connection.release();
                setTimeout(() => pool.query(mine(id), resolve), 1);
              });
            });
          });
        }),
    ],
    [
      'prepared statements',
      async (_, promises, id) => {
        const connection = await promises.getConnection();
        const statement = await connection.prepare(mine(id));
        for (let i = 0; i < 3; i++) await statement.execute([]);
        connection.release();
      },
    ],
    [
      'prepared statements with callbacks',
      (pool, _, id) =>
        new Promise((resolve) => {
          pool.getConnection((_error, connection) => {
            connection.prepare(mine(id), (_failure, statement) => {
              statement.execute([], () => {
                statement.execute([], () => {
                  connection.query(mine(id), () => {
                    connection.release();
                    resolve(undefined);
                  });
                });
              });
            });
          });
        }),
    ],
    [
      'listeners of events',
      (pool, _, id) =>
        new Promise((resolve) => {
          pool.query(mine(id)).once('result', () => {
            pool.query(mine(id)).once('end', () => pool.query(mine(id), resolve));
          });
        }),
    ],
    [
      'listeners of a stream',
      (pool, _, id) =>
        new Promise((resolve) => {
          const stream = pool.query(mine(id)).stream();
          stream.once('data', () => pool.query(mine(id), () => pool.query(mine(id), resolve)));
        }),
    ],
    [
      'listeners of a connection, and callbacks of its other commands',
      (pool, _, id) =>
        new Promise((resolve) => {
          pool.getConnection((_error, connection) => {
            connection.ping(() => {
              connection.execute(mine(id)).once('end', () => {
                connection.query(mine(id)).once('end', () => {
                  connection.ping(() => {
                    connection.query(mine(id), resolve);
                    connection.release();
                  });
                });
              });
            });
          });
        }),
    ],
    [
      'streams',
      async (pool, _, id) => {
        for (let i = 0; i < 3; i++) {
          for await (const row of pool.query(mine(id)).stream()) expect(row).toHaveProperty('n');
        }
      },
    ],
  ])('the queries of %s are below their own request', async (_, work) => {
    await withDataApp({}, async (app) => {
      await withPool(async (pool, promises) => {
        // The socket, and what the pool keeps, are created in this request.
        await app.run(() => promises.query('SELECT 1'));
        await app.traces.expect(runOf(shopQuery('SELECT', 'SELECT ?')));
        await expectOwnSpans(app, (id) => work(pool, promises, id), 3);
      });
    });
  });

  it('opens a connection outside of the request, which goes on in its own context', async () => {
    await withDataApp({}, async ({ run }) => {
      await withPool(async (pool) => {
        const opened = new Promise((resolve) => pool.on('connection', () => resolve(trace.getActiveSpan())));
        await run(async () => {
          const span = trace.getActiveSpan();
          const released = new Promise((resolve) => {
            pool.getConnection((_, connection) => {
              connection.release();
              resolve(trace.getActiveSpan());
            });
          });
          expect(trace.getActiveSpan()).toBe(span);
          expect(await released).toBe(span);
        });
        expect(await opened).toBeUndefined();
      });
    });
  });

  it('records how long a query has waited for the connection', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      await withPool(async (_, promises) => {
        await run(() => Promise.all([promises.query('SELECT slow'), promises.query('SELECT 2')]));
        await traces.until((spans) => spans.length === 4);
        const waiting = traces.take().find(({ attributes }) => attributes['db.query.text'] === 'SELECT ?');
        expect(waiting?.attributes['db.client.connection.wait_time']).toBeGreaterThan(0.02);
      });
    });
  });
});

describe('a failure', () => {
  const failed = (type: string, statusCode: string | undefined): Partial<ExpectedSpan> => ({
    status: 'ERROR',
    attributes: { 'error.type': type, 'db.response.status_code': statusCode },
  });

  it('of the database has its number, and reaches the caller unchanged', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      await withPool(async (_, promises) => {
        const failure = run(() => promises.query("INSERT INTO duplicate VALUES ('secret')"));
        await expect(failure).rejects.toMatchObject({
          errno: 1062,
          code: 'ER_DUP_ENTRY',
          message: "Duplicate entry 'secret' for key 'x'",
        });
        const span = shopQuery('INSERT duplicate', 'INSERT INTO duplicate VALUES (?)', failed('1062', '1062'));
        await traces.expect(runOf(span));
      });
    });
  });

  it('to prepare a statement is one of the query', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      await withPool(async (_, promises) => {
        await expect(run(() => promises.execute('SELECT cannot_prepare'))).rejects.toMatchObject({ errno: 1064 });
        await traces.expect(runOf(shopQuery('SELECT', 'SELECT cannot_prepare', failed('1064', '1064'))));
      });
    });
  });

  it('to prepare a statement of the application, and to execute one, has its number', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      await withPool(async (_, promises) => {
        await run(async () => {
          const connection = await promises.getConnection();
          await expect(connection.prepare('SELECT cannot_prepare')).rejects.toMatchObject({ errno: 1064 });
          const statement = await connection.prepare('INSERT INTO duplicate VALUES (?)');
          await expect(statement.execute(['secret'])).rejects.toMatchObject({ errno: 1062 });
          connection.release();
        });
        await traces.expect(
          runOf(
            shopQuery('SELECT', 'SELECT cannot_prepare', failed('1064', '1064')),
            shopQuery('INSERT duplicate', 'INSERT INTO duplicate VALUES (?)', failed('1062', '1062')),
          ),
        );
      });
    });
  });

  it.each(['query', 'execute'] as const)(
    'of a %s() without a listener closes its connection, as without tracing',
    async (method) => {
      const results: unknown[] = [];
      for (const tracing of [{}, false] as const) {
        await withDataApp({ tracing }, async ({ run }) => {
          await withPool(async (_, promises) => {
            await run(async () => {
              const { connection } = await promises.getConnection();
              const closed = new Promise((resolve) => connection.once('error', resolve));
              Reflect.apply(connection[method], connection, ['INSERT INTO duplicate VALUES (1)']);
              results.push(await closed);
            });
          });
        });
      }
      expect(results[0]).toMatchObject({ fatal: true });
      expect(results[0]).toEqual(results[1]);
    },
  );

  it('of the connection has the code of the driver', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      await withPool(async (_, promises) => {
        await expect(run(() => promises.query('SELECT hang_up'))).rejects.toMatchObject({
          code: 'PROTOCOL_CONNECTION_LOST',
        });
        const span = shopQuery('SELECT', 'SELECT hang_up', failed('PROTOCOL_CONNECTION_LOST', undefined));
        await traces.expect(runOf(span));
      });
    });
  });

  it('by a timeout has the code of the driver', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      const connection = mysql.createConnection({ host: '127.0.0.1', port: server.port, user: 'u', database: 'shop' });
      const never = () => connection.promise().query({ sql: 'SELECT never', timeout: 20 });
      await expect(run(never)).rejects.toMatchObject({ code: 'PROTOCOL_SEQUENCE_TIMEOUT' });
      connection.destroy();
      const span = shopQuery('SELECT', 'SELECT never', failed('PROTOCOL_SEQUENCE_TIMEOUT', undefined));
      await traces.expect(runOf(span));
    });
  });

  it('to connect has a span of its own, since no query follows', async () => {
    const port = await freePort();
    await withDataApp({}, async ({ run, traces }) => {
      await withPool(
        async (_, promises) => {
          await expect(run(() => promises.query(USERS))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
          const attributes = { 'db.system.name': 'mysql', 'server.port': port, 'error.type': 'ECONNREFUSED' };
          await traces.expect(runOf(query('connect shop', attributes, { status: 'ERROR' })));
        },
        { port },
      );
    });
  });

  it('to connect again, for a waiter, has one span, below the waiter', async () => {
    const own = await startMysqlServer();
    await withDataApp({}, async ({ run, traces }) => {
      await withPool(
        async (pool, promises) => {
          const isQueued = once(pool, 'enqueue');
          const holding = run(async () => {
            const connection = await promises.getConnection();
            await isQueued;
            // The pool asks for another connection in the context of this request.
            const stopped = own.stop();
            connection.destroy();
            await expect(waiting).rejects.toThrow();
            await stopped;
          });
          await once(pool, 'acquire');
          const waiting = run(() => promises.query(USERS));
          await Promise.all([holding, waiting.catch(() => {})]);
          const lost = query('connect shop', { 'db.system.name': 'mysql' }, { status: 'ERROR' });
          await traces.expect(runOf(), runOf(lost));
        },
        { port: own.port },
      );
    });
  });

  it('is shown by its type alone on the spans around it, because its message quotes values', async () => {
    let promises: PromisePool;
    @Controller()
    class OrdersController {
      @Get('orders')
      create() {
        return promises.query("INSERT INTO duplicate VALUES ('secret')");
      }
    }
    await withDataApp({ controllers: [OrdersController] }, async ({ request, traces }) => {
      await withPool(async (_, pool) => {
        promises = pool;
        await request('/orders');
        await traces.until((spans) => spans.length === 3);
        const spans = traces.take();
        const exported = JSON.stringify(
          spans.map(({ attributes, events, name, status }) => ({ attributes, events, name, status })),
        );
        expect(exported).not.toContain('secret');
        expect(exported).toContain('"error.type":"1062"');
      });
    });
  });
});

describe('what is recorded', () => {
  it('is neither text nor parameters, if the application wants neither', async () => {
    await withDataApp({ tracing: { data: { queryText: false } } }, async ({ run, traces }) => {
      await withPool(async (_, promises) => {
        await run(() => promises.execute('SELECT * FROM users WHERE id = ?', [7]));
        await traces.expect(
          runOf(query('SELECT users', { 'db.query.text': undefined, 'db.query.parameter.0': undefined })),
        );
      });
    });
  });

  it('is cut at the limit, and has the parameters, if the application wants them', async () => {
    const mysqlOptions = { maxQueryTextLength: 20, parameters: true };
    await withDataApp({ tracing: { data: { mysql: mysqlOptions } } }, async ({ run, traces }) => {
      await withPool(async (_, promises) => {
        await run(() => promises.execute('SELECT * FROM users WHERE id = ?', [7]));
        const attributes = { 'db.query.text': 'SELECT * FROM users ', 'db.query.parameter.0': '7' };
        await traces.expect(runOf(query('SELECT users', attributes)));
      });
    });
  });

  it('is nothing of a query that is ignored', async () => {
    const ignore = ['SELECT 1', /^SET /, 'SHOW *'];
    await withDataApp({ tracing: { data: { ignore } } }, async ({ run, traces }) => {
      await withPool(async (_, promises) => {
        await run(async () => {
          await promises.query(' SELECT 1 ');
          await promises.query("SET x = 'y'");
          await promises.query('SHOW TABLES');
          await promises.query(USERS);
        });
        await traces.expect(runOf(users()));
      });
    });
  });

  it('is nothing, if the application traces no MySQL', async () => {
    for (const data of [false, { mysql: false }] as const) {
      await withDataApp({ tracing: { data } }, async ({ run, traces }) => {
        await withPool(async (_, promises) => {
          await run(() => promises.query(USERS));
          await traces.expect(runOf());
        });
      });
    }
  });
});

describe('a query outside of any span', () => {
  it('has no span', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      await withPool(async (_, promises) => {
        await promises.query(USERS);
        await run(() => wait(0));
        await traces.expect(runOf());
      });
    });
  });

  it('starts a trace, if the application wants that', async () => {
    await withDataApp({ tracing: { data: { rootSpans: true } } }, async ({ traces }) => {
      await withPool(async (_, promises) => {
        await promises.query(USERS);
        await traces.expect(users());
      });
    });
  });
});

describe('the channels', () => {
  const channels = ['mysql2:query', 'mysql2:execute', 'mysql2:pool:connect'].flatMap((name) =>
    ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((event) => `tracing:${name}:${event}`),
  );

  it('have no subscriber after the application has shut down', async () => {
    await withDataApp({}, () => {
      expect(channels.filter((name) => hasSubscribers(name))).not.toEqual([]);
      return Promise.resolve();
    });
    expect(channels.filter((name) => hasSubscribers(name))).toEqual([]);
  });

  it('leave a connection as it was when the application has shut down', async () => {
    await withPool(async (_, promises) => {
      let connection: Awaited<ReturnType<typeof promises.getConnection>> | undefined;
      const isOwn = () => Object.hasOwn(Reflect.get(connection!, 'connection') as object, 'prepare');
      await withDataApp({}, async ({ run }) => {
        connection = await run(() => promises.getConnection());
        expect(isOwn()).toBe(true);
      });
      expect(isOwn()).toBe(false);
      connection!.release();
    });
  });

  it('give one span for a query while two applications run', async () => {
    await withDataApp({}, async () => {
      await withDataApp({}, async ({ run, traces }) => {
        await withPool(async (_, promises) => {
          await run(() => promises.query(USERS));
          const queries = () => traces.spans.filter(({ name }) => name === 'SELECT users');
          await traces.until(() => traces.spans.length === 0 || queries().length > 0);
          expect(queries().length).toBeLessThanOrEqual(1);
        });
      });
    });
  });
});
