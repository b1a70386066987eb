import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { context, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import type { BenchOptions, Running, Setup, WorkOrder } from './setup.js';

/** The number of queries between two readings of the clock. */
const BATCH = 320;
/** The number of queries at once: an application that waits for each answer would mostly pay for waking up. */
const AT_ONCE = 32;
/** The number of connections of each pool. */
const CONNECTIONS = 4;

@Module({})
class AppModule {}

/** Measures queries in microseconds of CPU time, below a recording span, with spans that are not exported. */
export async function start({ databases }: BenchOptions, setup: Setup): Promise<Running> {
  // The drivers are loaded now, after the set-up has registered its instrumentations.
  const { createPool } = await import('mysql2');
  const { default: pg } = await import('pg');
  if (!databases) throw new Error('The ports of the databases are missing.');
  const { mysql: mysqlPort, postgres: pgPort } = databases;
  const pool = new pg.Pool({ host: '127.0.0.1', port: pgPort, user: 'u', database: 'd', max: CONNECTIONS });
  const mysqlPool = createPool({
    host: '127.0.0.1',
    port: mysqlPort,
    user: 'u',
    database: 'd',
    connectionLimit: CONNECTIONS,
  });
  const promises = mysqlPool.promise();

  const root = { module: AppModule, imports: setup.imports ?? [], providers: [{ provide: 'PG', useValue: pool }] };
  const app = await NestFactory.create(root, { logger: ['error', 'warn'] });
  await setup.prepare?.(app);
  await app.init();
  const parent = trace.setSpan(ROOT_CONTEXT, trace.getTracer('bench').startSpan('parent'));
  const parentOfUnsampled = { traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: TraceFlags.NONE };
  const unsampled = trace.setSpan(ROOT_CONTEXT, trace.wrapSpanContext(parentOfUnsampled));
  const statement =
    'SELECT u.id, u.name FROM users u JOIN orders o ON o.user_id = u.id WHERE u.id = $1 AND o.open LIMIT 10';
  const text = statement.replace('$1', '?');
  let id = 0;

  const cases: Record<string, () => Promise<unknown>> = {
    'pg: pool.query()': () => pool.query(statement, [7]),
    'mysql2: pool.query()': () => promises.query(text, [id++]),
    'mysql2: pool.execute()': () => promises.execute(text, [7]),
  };

  async function work({ milliseconds }: WorkOrder) {
    const results: Record<string, number> = {};
    for (const [name, query] of Object.entries(cases)) {
      results[name] = await context.with(parent, () => costOf(query, milliseconds));
      results[`${name}, not sampled`] = await context.with(unsampled, () => costOf(query, milliseconds));
    }
    return results;
  }

  async function close() {
    await app.close();
    await pool.end();
    await promises.end();
  }

  return { work: work as never, close };
}

/** Returns the CPU time of a query in microseconds. */
async function costOf(query: () => Promise<unknown>, milliseconds: number): Promise<number> {
  await runBatch(query);
  const before = process.cpuUsage();
  const deadline = performance.now() + milliseconds;
  let count = 0;
  while (performance.now() < deadline) {
    await runBatch(query);
    count += BATCH;
  }
  const { system, user } = process.cpuUsage(before);
  return (user + system) / count;
}

async function runBatch(query: () => Promise<unknown>): Promise<void> {
  const runInTurn = async () => {
    for (let i = 0; i < BATCH / AT_ONCE; i++) await query();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runInTurn));
}
