/** mssql, by its channels: the tests publish what version 12.7 does. */
import { tracingChannel, channel } from 'node:diagnostics_channel';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { outside, query, runOf, withDataApp } from '../support/data-app.js';

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
        await publish('execute', { poolId: 7, procedure: "charge 'secret'" }, () => wait(1));
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
          mssqlQuery('EXECUTE', { ...server, 'db.collection.name': undefined }),
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

  it('records how long a request has waited for a connection', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      await run(async () => {
        await publish('query', { poolId: 7, requestId: 1, command: 'SELECT 1' }, async () => {
          await publish('pool:acquire', { poolId: 7, requestId: 1 }, () => wait(20));
          await wait(1);
        });
        // A transaction waits before its first request.
        await publish('pool:acquire', { poolId: 7, requestId: 2 }, () => wait(20));
        await publish('query', { poolId: 7, requestId: 3, command: 'SELECT 2' }, () => wait(1));
        await publish('query', { poolId: 7, requestId: 4, command: 'SELECT 3' }, () => wait(1));
      });
      await traces.until((spans) => spans.length === 5);
      const waits = traces
        .take()
        .filter(({ name }) => name === 'SELECT')
        .map(({ attributes }) => Number(attributes['db.client.connection.wait_time'] ?? 0) > 0.01);
      expect(waits).toEqual([true, true, false]);
    });
  });

  it('has a span for a pool that cannot connect, and for a transaction without a connection', async () => {
    const error = Object.assign(new Error('Failed to connect to secret:1433'), { code: 'ESOCKET' });
    await withDataApp({}, async ({ run, traces }) => {
      await expect(run(() => publish('connect', SERVER, () => Promise.reject(error)))).rejects.toBe(error);
      const failed = { status: 'ERROR' };
      const attributes = { 'error.type': 'ESOCKET', 'server.address': 'db.test' };
      await traces.expect(runOf(mssqlQuery('connect shop', attributes, failed)));
      const acquire = () => publish('pool:acquire', { poolId: 7, requestId: 9 }, () => Promise.reject(error));
      await expect(run(acquire)).rejects.toBe(error);
      await traces.expect(runOf(mssqlQuery('connect shop', attributes, failed)));
      const request = () => publish('query', { poolId: 7, requestId: 8, command: 'SELECT 1' }, acquireFor(8));
      await expect(run(request)).rejects.toBe(error);
      await traces.expect(runOf(mssqlQuery('SELECT', attributes, failed)));
    });

    function acquireFor(requestId: number) {
      return () => publish('pool:acquire', { poolId: 7, requestId }, () => Promise.reject(error));
    }
  });

  it('calls the callback of prepare() in the context of its caller', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      await run(
        () =>
          new Promise<void>((resolve) => {
            const prepare = (done: () => void) => outside(() => setImmediate(done));
            const execute = () =>
              publish('prepared-statement:execute', { statement: 'SELECT 1' }, () => wait(1)).then(() => resolve());
            tracingChannel<object>('mssql:prepared-statement:prepare').traceCallback(
              prepare as never,
              0,
              {},
              undefined,
              () => void execute(),
            );
          }),
      );
      await traces.expect(runOf(mssqlQuery('SELECT', {})));
    });
  });
});
