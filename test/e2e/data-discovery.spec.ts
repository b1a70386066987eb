/** Where the library finds the pools of an application: whatever a provider is, however it is named. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module, Scope, type LoggerService, type ModuleMetadata } from '@nestjs/common';
import { LazyModuleLoader, ModuleRef, ContextIdFactory } from '@nestjs/core';
import { tracePool } from 'nestjs-tracing';
import { createPool as createMysqlPool } from 'mysql2';
import { Client, Pool } from 'pg';
import { query, runOf, withDataApp } from '../support/data-app.js';
import { recordWarnings } from '../support/recorded-warnings.js';
import { startEmbeddedPostgres, type PostgresServer } from '../support/postgres-server.js';

let server: PostgresServer;
const pools = new Set<Pool>();

beforeAll(async () => {
  server = await startEmbeddedPostgres();
}, 60_000);

afterAll(async () => {
  await Promise.all([...pools].map((pool) => pool.end()));
  await server.stop();
});

function createPool(): Pool {
  const { database, port, user } = server;
  const pool = new Pool({ connectionString: `postgres://${user}:pw-secret@127.0.0.1:${port}/${database}`, max: 1 });
  pools.add(pool);
  return pool;
}

const SELECT = query('SELECT', { 'db.system.name': 'postgresql' });

@Injectable()
class PoolOfAClass extends Pool {
  constructor() {
    const { database, port, user } = server;
    super({ host: '127.0.0.1', port, user, database, max: 1 });
    pools.add(this);
  }
}

describe('a pool', () => {
  const providers: Record<string, () => NonNullable<ModuleMetadata['providers']>[number] & object> = {
    'that is a value': () => ({ provide: 'PG', useValue: createPool() }),
    'of a factory': () => ({ provide: 'PG', useFactory: createPool }),
    'of an async factory, under a symbol': () => ({
      provide: Symbol('pool'),
      useFactory: () => Promise.resolve(createPool()),
    }),
    'that is a class': () => ({ provide: 'PG', useClass: PoolOfAClass }),
    'of a transient provider': () => ({ provide: 'PG', useFactory: createPool, scope: Scope.TRANSIENT }),
  };

  it.each(Object.entries(providers))('%s is found', async (_, createProvider) => {
    const provider = createProvider() as { provide: string | symbol };
    @Injectable()
    class Repository {
      constructor(@Inject(provider.provide) readonly pool: Pool) {}
    }
    await withDataApp({ providers: [provider as never, Repository] }, async ({ app, run, traces }) => {
      await run(() => app.get(Repository).pool.query('SELECT 1'));
      await traces.expect(runOf(SELECT));
    });
  });

  it('of a module that is loaded later is found', async () => {
    @Module({ providers: [{ provide: 'LAZY', useFactory: createPool }] })
    class LazyModule {}

    await withDataApp({}, async ({ app, run, traces }) => {
      const lazy = await app.get(LazyModuleLoader).load(() => LazyModule);
      await run(() => lazy.get<Pool>('LAZY').query('SELECT 1'));
      await traces.expect(runOf(SELECT));
    });
  });

  it('that a factory creates for each request is found', async () => {
    const provider = { provide: 'PG', scope: Scope.REQUEST, useFactory: () => Promise.resolve(createPool()) };
    await withDataApp({ providers: [provider] }, async ({ app, run, traces }) => {
      const pool = await app.get(ModuleRef).resolve<Pool>('PG', ContextIdFactory.create(), { strict: false });
      await run(() => pool.query('SELECT 1'));
      await traces.expect(runOf(SELECT));
    });
  });

  it('in a property of a service is found only by tracePool(), which returns the same pool', async () => {
    const hidden = createPool();
    const shown = createPool();
    @Injectable()
    class Repository {
      readonly hidden = hidden;
      readonly shown = tracePool(shown);
    }
    await withDataApp({ providers: [Repository] }, async ({ app, run, traces }) => {
      const repository = app.get(Repository);
      expect(repository.shown).toBe(shown);
      await run(async () => {
        await repository.hidden.query('SELECT 1');
        await repository.shown.query('SELECT 2');
      });
      await traces.expect(runOf(SELECT));
    });
  });

  it('of tracePool() is traced by the application that runs, and by none when none does', async () => {
    const pool = tracePool(createPool());
    for (let i = 0; i < 2; i++) {
      await withDataApp({}, async ({ run, traces }) => {
        await run(() => pool.query('SELECT 1'));
        await traces.expect(runOf(SELECT));
      });
      expect((await pool.query<{ n: number }>('SELECT 1 AS n')).rows).toEqual([{ n: 1 }]);
    }
  });
});

describe('the start of the application', () => {
  it('says in one line what was found', async () => {
    const lines: unknown[] = [];
    const ignore = () => {};
    const logger: LoggerService = {
      log: ignore,
      warn: (line: unknown) => lines.push(line),
      error: (line: unknown) => lines.push(line),
      debug: (line: unknown) => lines.push(line),
    };
    const client = new Client({});
    const mysql = createMysqlPool({ host: '127.0.0.1' });
    const providers: ModuleMetadata['providers'] = [
      { provide: 'A', useFactory: createPool },
      { provide: 'B', useFactory: createPool },
      { provide: 'C', useValue: client },
      { provide: 'D', useValue: mysql },
      { provide: 'E', useValue: mysql.promise() },
    ];
    await withDataApp({ providers, logger }, () => Promise.resolve());
    const line = 'Found in dependency injection and traced: 2 × pg.Pool, pg.Client, 2 × mysql2 pool';
    expect(lines.filter((it) => String(it).startsWith('Found'))).toEqual([line]);
    await new Promise((resolve) => mysql.end(resolve));
  });

  it('reads no getter, and calls no method, of what it finds', async () => {
    const touched: string[] = [];
    const hostile = new Proxy(
      {},
      { get: (_, key) => touched.push(String(key)), has: (_, key) => !touched.push(String(key)) },
    );
    const watched = Object.defineProperties(
      {},
      {
        totalCount: { get: () => touched.push('totalCount') },
        connect: { get: () => touched.push('connect') },
        query: { get: () => touched.push('query') },
      },
    );
    const providers: ModuleMetadata['providers'] = [
      { provide: 'HOSTILE', useFactory: () => ({ hostile }) },
      { provide: 'WATCHED', useFactory: () => watched },
    ];
    touched.length = 0;
    await withDataApp({ providers }, () => Promise.resolve());
    expect(touched.filter((key) => ['totalCount', 'connect', 'query'].includes(key))).toEqual([]);
  });
});

describe('tracePool()', () => {
  const warnings = recordWarnings();

  it('warns of an object that it does not know', () => {
    const other = {};
    expect(tracePool(other)).toBe(other);
    expect(warnings).toEqual([expect.stringContaining('no pool or client of a library that is traced')]);
  });
});
