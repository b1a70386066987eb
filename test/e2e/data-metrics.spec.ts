/** The measurements of queries. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { createPool, type Pool } from 'mysql2';
import type { TracingOptions } from 'nestjs-tracing';
import { Pool as PgPool } from 'pg';
import { withDataApp } from '../support/data-app.js';
import { freePort } from '../support/free-port.js';
import { startMysqlServer, type MysqlServer } from '../support/mysql-server.js';
import { Scrape } from '../support/scrape.js';

const DURATION = 'db_client_operation_duration_seconds';
const WAIT_TIME = 'db_client_connection_wait_time_seconds';
const USERS = 'SELECT * FROM users WHERE id = 7';

let server: MysqlServer;
let pool: Pool;

beforeAll(async () => {
  server = await startMysqlServer();
  pool = createPool({ host: '127.0.0.1', port: server.port, user: 'u', database: 'shop', connectionLimit: 1 });
});

afterAll(async () => {
  await new Promise((resolve) => pool.end(resolve));
  await server.stop();
});

describe('a query', () => {
  it('is measured by its summary, with an exemplar that leads to its trace', async () => {
    await withDataApp({ tracing: { metrics: {} } }, async ({ run, traces, url }) => {
      await run(() => pool.promise().query(USERS));
      await traces.until((spans) => spans.length === 3);
      const scrape = await Scrape.counted(`${url}/metrics`, DURATION, 1);
      const labels = {
        db_system_name: 'mysql',
        db_namespace: 'shop',
        db_query_summary: 'SELECT users',
        server_address: '127.0.0.1',
        server_port: String(server.port),
      };
      expect(scrape.labels(`${DURATION}_count`)).toEqual([labels]);
      const { traceId, spanId } = traces.named('SELECT users').spanContext();
      const [exemplar] = scrape.exemplars(`${DURATION}_bucket`);
      expect(exemplar?.exemplar.labels).toEqual({ trace_id: traceId, span_id: spanId });
      const bounds = scrape.labels(`${DURATION}_bucket`).map(({ le }) => Number(le?.replace('+Inf', 'Infinity')));
      expect(bounds).toEqual([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, Infinity]);
    });
  });

  it('that fails is measured by its code', async () => {
    await withDataApp({ tracing: { metrics: {} } }, async ({ run, url }) => {
      await expect(run(() => pool.promise().query('SELECT duplicate'))).rejects.toThrow();
      const scrape = await Scrape.counted(`${url}/metrics`, DURATION, 1);
      expect(scrape.labels(`${DURATION}_count`)).toEqual([
        expect.objectContaining({ error_type: '1062', db_response_status_code: '1062' }),
      ]);
    });
  });

  it('that finds no server is measured, with the time until that was known', async () => {
    const unreachable = createPool({ host: '127.0.0.1', port: await freePort(), user: 'u', database: 'shop' });
    await withDataApp({ tracing: { metrics: {} } }, async ({ run, url }) => {
      await expect(run(() => unreachable.promise().query(USERS))).rejects.toThrow('ECONNREFUSED');
      await expect(unreachable.promise().query(USERS)).rejects.toThrow('ECONNREFUSED');
      const scrape = await Scrape.counted(`${url}/metrics`, DURATION, 1);
      expect(scrape.labels(`${DURATION}_count`)).toEqual([
        expect.objectContaining({ db_namespace: 'shop', error_type: 'ECONNREFUSED' }),
      ]);
    });
    await new Promise((resolve) => unreachable.end(resolve));
  });

  it.each<[string, TracingOptions]>([
    ['is not sampled', { sampler: 'always_off' }],
    ['is outside of any span', {}],
  ])('that %s is measured without a span', async (what, tracing) => {
    await withDataApp({ tracing: { ...tracing, metrics: {} } }, async ({ run, traces, url }) => {
      const work = () => pool.promise().query(USERS);
      await (what === 'is not sampled' ? run(work) : work());
      const scrape = await Scrape.counted(`${url}/metrics`, DURATION, 1);
      expect(scrape.exemplars(`${DURATION}_bucket`)).toEqual([]);
      expect(traces.take().filter(({ name }) => name === 'SELECT users')).toEqual([]);
    });
  });

  it('that is ignored is not measured', async () => {
    await withDataApp({ tracing: { metrics: {}, data: { ignore: 'SELECT 1' } } }, async ({ run, url }) => {
      await run(async () => {
        await pool.promise().query('SELECT 1');
        await pool.promise().query(USERS);
      });
      const scrape = await Scrape.counted(`${url}/metrics`, DURATION, 1);
      expect(scrape.labels(`${DURATION}_count`)).toEqual([
        expect.objectContaining({ db_query_summary: 'SELECT users' }),
      ]);
    });
  });

  it('is measured by the Meter API', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter });
    const meterProvider = new MeterProvider({ readers: [reader] });
    await withDataApp({ tracing: { metrics: { type: 'opentelemetry', meterProvider } } }, async ({ run }) => {
      await run(() => pool.promise().query(USERS));
      await reader.forceFlush();
      const metrics = exporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
      const duration = metrics.find(({ descriptor }) => descriptor.name === 'db.client.operation.duration');
      expect(duration?.descriptor.unit).toBe('s');
      expect(duration?.dataPoints[0]?.attributes).toMatchObject({ 'db.query.summary': 'SELECT users' });
      expect(metrics.map(({ descriptor }) => descriptor.name)).toContain('db.client.connection.wait_time');
    });
    await meterProvider.shutdown();
  });
});

it('the wait for a connection is measured by the name of its pool', async () => {
  await withDataApp({ tracing: { metrics: {} } }, async ({ run, url }) => {
    await run(() => Promise.all([pool.promise().query('SELECT slow'), pool.promise().query(USERS)]));
    const scrape = await Scrape.counted(`${url}/metrics`, WAIT_TIME, 2);
    expect(scrape.labels(`${WAIT_TIME}_count`)).toEqual([
      { db_client_connection_pool_name: `127.0.0.1:${server.port}/shop` },
    ]);
    expect(scrape.value(`${WAIT_TIME}_sum`)).toBeGreaterThan(0.02);
  });
});

it('the connections of the pools in dependency injection are counted by the name of their pool', async () => {
  const other = createPool({ host: '127.0.0.1', port: server.port, user: 'u', database: 'shop', connectionLimit: 2 });
  const pg = new PgPool({ host: 'db.internal', port: 5433, user: 'u', database: 'shop', max: 7 });
  const providers = [
    { provide: 'POOL', useValue: pool },
    { provide: 'PROMISES', useValue: pool.promise() },
    { provide: 'OTHER', useValue: other },
    { provide: 'PG', useValue: pg },
  ];
  await withDataApp({ providers, tracing: { metrics: {} } }, async ({ run, url }) => {
    await run(async () => {
      const connection = await other.promise().getConnection();
      const queries = [pool.promise().query('SELECT slow'), pool.promise().query(USERS), pool.promise().query(USERS)];
      const scrape = await Scrape.of(`${url}/metrics`);
      connection.release();
      await Promise.all(queries);
      const readings = (name: string) =>
        scrape
          .find(name)
          .map(({ labels, value }) => `${Object.values(labels).toSorted().join(' ')}: ${value}`)
          .toSorted();
      const [mysqlPool, pgPool] = [`127.0.0.1:${server.port}/shop`, 'db.internal:5433/shop'];
      expect(readings('db_client_connection_count')).toEqual([
        `${mysqlPool} idle: 0`,
        `${mysqlPool} used: 2`,
        `${pgPool} idle: 0`,
        `${pgPool} used: 0`,
      ]);
      expect(readings('db_client_connection_max')).toEqual([`${mysqlPool}: 3`, `${pgPool}: 7`]);
      expect(readings('db_client_connection_pending_requests')).toEqual([`${mysqlPool}: 2`, `${pgPool}: 0`]);
    });
  });
  await Promise.all([new Promise((resolve) => other.end(resolve)), pg.end()]);
});
