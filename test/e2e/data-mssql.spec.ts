/** mssql, by its channels: the tests publish what version 12.7 does. */
import { tracingChannel, channel } from 'node:diagnostics_channel';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { query, runOf, withDataApp } from '../support/data-app.js';

const SERVER = { poolId: 7, server: 'db.test', port: 1433, database: 'shop' };

function publish<T>(name: string, message: object, work: () => Promise<T>): Promise<T> {
  return tracingChannel<object>(`mssql:${name}`).tracePromise(work, message);
}

const mssqlQuery = (name: string, attributes: Record<string, unknown>, details: object = {}) =>
  query(name, { 'db.system.name': 'microsoft.sql_server', 'server.port': undefined, ...attributes }, details);

describe('mssql', () => {
  it('has one span for each request, with the server of its pool', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      await publish('connect', SERVER, () => Promise.resolve());
      await run(async () => {
        const command = "SELECT * FROM [users] WHERE name = N'secret' AND id = @id";
        expect(await publish('query', { poolId: 7, command, parameters: ['id'] }, () => wait(1, 'rows'))).toBe('rows');
        await publish('execute', { poolId: 7, procedure: 'dbo.charge' }, () => wait(1));
        await publish('bulk', { poolId: 7, table: 'users', rowCount: 3 }, () => wait(1));
        await publish('prepared-statement:execute', { poolId: 7, statement: 'DELETE FROM users' }, () => wait(1));
        channel('mssql:pool:close').publish({ poolId: 7 });
        await publish('batch', { poolId: 7, command: 'SELECT 1' }, () => wait(1));
      });
      const server = { 'server.address': 'db.test', 'db.namespace': 'shop' };
      await traces.expect(
        runOf(
          mssqlQuery('SELECT users', {
            ...server,
            'db.query.text': 'SELECT * FROM [users] WHERE name = ? AND id = @id',
          }),
          mssqlQuery('EXECUTE dbo.charge', { ...server, 'db.operation.name': 'EXECUTE' }),
          mssqlQuery('INSERT BULK users', { ...server, 'db.operation.batch.size': 3 }),
          mssqlQuery('DELETE users', server),
          mssqlQuery('SELECT', { 'server.address': undefined }),
        ),
      );
    });
  });

  it('has the number of an error, and no message', async () => {
    const error = Object.assign(new Error("Violation of UNIQUE KEY. The value is ('secret')."), { number: 2627 });
    await withDataApp({}, async ({ run, traces }) => {
      const request = () => publish('query', { command: 'INSERT INTO users VALUES (1)' }, () => Promise.reject(error));
      await expect(run(request)).rejects.toBe(error);
      await traces.until((spans) => spans.length === 3);
      const spans = traces.take();
      expect(spans.find(({ name }) => name === 'INSERT users')?.attributes).toMatchObject({
        'db.response.status_code': '2627',
        'error.type': '2627',
      });
      expect(JSON.stringify(spans.map(({ attributes, events, status }) => [attributes, events, status]))).not.toContain(
        'secret',
      );
    });
  });
});
