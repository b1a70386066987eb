/** Prisma, by the contract that it has with its instrumentation: the tests call the helper as a client of Prisma 7 does. */
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  clearGlobalTracingHelper,
  getGlobalTracingHelper,
  setGlobalTracingHelper,
  type TracingHelper,
} from '@prisma/instrumentation-contract';
import { SpanKind } from '@opentelemetry/api';
import { createPool } from 'mysql2/promise';
import { query, runOf, withDataApp } from '../support/data-app.js';
import { startMysqlServer } from '../support/mysql-server.js';

afterEach(() => clearGlobalTracingHelper());

const TEXT = "SELECT * FROM users WHERE name = 'secret'";

/** Does what Prisma's client does for an operation, whose query runs in `execute`. */
function operate<T>(execute: () => Promise<T>, system = 'postgresql', text = TEXT): Promise<T> {
  const helper = getGlobalTracingHelper();
  if (!helper?.isEnabled()) return execute();
  return helper.runInChildSpan({ name: 'operation', attributes: { method: 'findMany', model: 'User' } }, () =>
    helper.runInChildSpan('serialize', () => {
      const attributes = { 'db.query.text': text, 'db.system.name': system };
      return helper.runInChildSpan({ name: 'db_query', kind: SpanKind.CLIENT, attributes }, () => execute());
    }),
  );
}

const SELECT = query('SELECT users', {
  'db.system.name': 'postgresql',
  'db.query.text': 'SELECT * FROM users WHERE name = ?',
});

describe('Prisma', () => {
  it('has one span for each query', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      expect(await run(() => operate(() => Promise.resolve([1])))).toEqual([1]);
      await traces.expect(runOf(SELECT));
    });
  });

  it('names the system as the conventions do', async () => {
    await withDataApp({}, async ({ run, traces }) => {
      await run(() => operate(() => Promise.resolve([]), 'mssql'));
      await traces.expect(runOf(query('SELECT users', { 'db.system.name': 'microsoft.sql_server' })));
    });
  });

  it.each(['COMMIT', 'ROLLBACK'])('names the %s of a driver that ends the transaction itself', async (name) => {
    const text = `-- Implicit "${name}" query via underlying driver`;
    await withDataApp({}, async ({ run, traces }) => {
      await run(() => operate(() => Promise.resolve(), 'mysql', text));
      await traces.expect(runOf(query(name, { 'db.query.summary': name, 'db.query.text': name })));
    });
  });

  it('has no span for the driver below its adapter', async () => {
    const server = await startMysqlServer();
    const pool = createPool({ host: '127.0.0.1', port: server.port, user: 'u', database: 'shop' });
    await withDataApp({}, async ({ run, traces }) => {
      await run(() => operate(() => pool.query('SELECT inner'), 'mysql'));
      await traces.expect(runOf(query('SELECT users', { 'db.system.name': 'mysql' })));
    });
    await pool.end();
    await server.stop();
  });

  it('has the code of a failed query, and no message on any span', async () => {
    const error = Object.assign(new Error("Key (name)=('secret') already exists"), {
      cause: { originalCode: '23505' },
    });
    await withDataApp({}, async ({ run, traces }) => {
      await expect(run(() => operate(() => Promise.reject(error)))).rejects.toBe(error);
      await traces.until((spans) => spans.length === 3);
      const spans = traces.take();
      expect(spans.find(({ name }) => name === 'SELECT users')?.attributes).toMatchObject({
        'error.type': '23505',
        'db.response.status_code': '23505',
      });
      expect(JSON.stringify(spans.map(({ attributes, events, status }) => [attributes, events, status]))).not.toContain(
        'secret',
      );
    });
  });

  it('is not asked to trace while the option is off, or once the application has shut down', async () => {
    await withDataApp({ tracing: { data: { prisma: false } } }, ({ traces }) => {
      expect(getGlobalTracingHelper()?.isEnabled() ?? false).toBe(false);
      expect(traces.spans).toEqual([]);
      return Promise.resolve();
    });
    expect(getGlobalTracingHelper()).toBeUndefined();
  });

  it('keeps the helper of another instrumentation', async () => {
    const other = { isEnabled: () => false } as TracingHelper;
    setGlobalTracingHelper(other);
    await withDataApp({}, () => {
      expect(getGlobalTracingHelper()).toBe(other);
      return Promise.resolve();
    });
    expect(getGlobalTracingHelper()).toBe(other);
  });

  it('emits each event of an engine, and continues the active context', async () => {
    await withDataApp({}, async ({ run }) => {
      const helper = getGlobalTracingHelper()!;
      const events: unknown[] = [];
      const event = { spanId: '1', level: 'query', timestamp: [0, 0], attributes: {} } as never;
      await run(() => helper.dispatchEngineSpans([], [event], (each) => events.push(each)));
      expect(events).toEqual([event]);
      expect(helper.getTraceParent()).toMatch(/^00-/);
    });
  });
});
