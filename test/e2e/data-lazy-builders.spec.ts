/** A query builder runs its query when it is awaited, and once each time. A span of the method that returns it must not change that. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Span } from 'nestjs-tracing';
import { drizzle, type MySql2Database } from 'drizzle-orm/mysql2';
import { int, mysqlTable } from 'drizzle-orm/mysql-core';
import knexOf, { type Knex } from 'knex';
import { createPool, type Pool } from 'mysql2';
import { query, runOf, withDataApp } from '../support/data-app.js';
import { startMysqlServer, type MysqlServer } from '../support/mysql-server.js';

const users = mysqlTable('users', { n: int('n') });

let server: MysqlServer;
let knex: Knex;
let pool: Pool;
let database: MySql2Database;

beforeAll(async () => {
  server = await startMysqlServer();
  const connection = { host: '127.0.0.1', port: server.port, user: 'u', database: 'shop' };
  knex = knexOf({ client: 'mysql2', connection, pool: { min: 0, max: 1 } });
  pool = createPool({ ...connection, connectionLimit: 1 });
  database = drizzle(pool);
  // Knex asks for the version on each new connection.
  await knex.raw('select 1');
});

afterAll(async () => {
  await knex.destroy();
  await new Promise((resolve) => pool.end(resolve));
  await server.stop();
});

@Injectable()
class Repository {
  @Span('with Knex')
  withKnex() {
    return knex('users').select('n');
  }

  @Span('with Drizzle')
  withDrizzle() {
    return database.select({ n: users.n }).from(users);
  }
}

it.each([
  ['Knex', 'withKnex', 'SELECT users'],
  ['Drizzle', 'withDrizzle', 'SELECT users'],
] as const)('a builder of %s that a span is around runs once, within the span', async (name, method, summary) => {
  await withDataApp({ providers: [Repository] }, async ({ app, run, traces }) => {
    const repository = app.get(Repository);
    server.statements.length = 0;
    const rows = await run(async () => {
      const builder = repository[method]();
      expect(typeof (builder as { where?: unknown }).where).toBe('function');
      expect(server.statements).toEqual([]);
      return builder;
    });
    expect(rows).toHaveLength(2);
    expect(server.statements).toHaveLength(1);
    const inner = query(summary.replace('SELECT', 'select'), { 'db.system.name': 'mysql' });
    await traces.expect(runOf({ name: `with ${name}`, children: [inner] }));
  });
});

it('a builder that is changed after the span has started runs as it was changed', async () => {
  await withDataApp({ providers: [Repository] }, async ({ app, run, traces }) => {
    server.statements.length = 0;
    await run(async () => {
      await app.get(Repository).withKnex().where({ n: 1 });
    });
    expect(server.statements).toHaveLength(1);
    expect(server.statements[0]).toContain('where');
    await traces.expect(runOf({ name: 'with Knex', children: [query('select users', {})] }));
  });
});
