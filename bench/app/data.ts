import { createRequire } from 'node:module';
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

interface User {
  id: number;
  name: string;
}

const load = createRequire(import.meta.url);

/** Measures queries in microseconds of CPU time, below a recording span, with spans that are not exported. */
export async function start({ databases }: BenchOptions, setup: Setup): Promise<Running> {
  if (!databases) throw new Error('The ports of the databases are missing.');
  const { dataSource, hiddenRedis, mysqlPool, pool, redis, users } = await connect(databases);
  const provided = { PG: pool, REDIS: redis, DATA_SOURCE: dataSource };
  const providers = Object.entries(provided).map(([provide, useValue]) => ({ provide, useValue }));
  const root = { module: AppModule, imports: setup.imports ?? [], providers };
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
    'mysql2: pool.query()': () => mysqlPool.query(text, [id++]),
    'mysql2: pool.execute()': () => mysqlPool.execute(text, [7]),
    'ioredis: get()': () => redis.get('user:7'),
    'ioredis, not in dependency injection: get()': () => hiddenRedis.get('user:7'),
    'TypeORM over pg: findOneBy()': () => users.findOneBy({ id: 7 }),
  };

  async function work({ driver = '', milliseconds }: WorkOrder & { readonly driver?: string }) {
    const results: Record<string, number> = {};
    for (const [name, query] of Object.entries(cases).filter(([each]) => each.startsWith(driver))) {
      results[name] = await context.with(parent, () => costOf(query, milliseconds));
      results[`${name}, not sampled`] = await context.with(unsampled, () => costOf(query, milliseconds));
    }
    return results;
  }

  async function close() {
    await app.close();
    redis.disconnect();
    hiddenRedis.disconnect();
    await Promise.all([pool.end(), mysqlPool.end(), dataSource.destroy()]);
  }

  return { work: work as never, close };
}

/** Connects to the databases with drivers that are loaded only now, after the set-up has registered its instrumentations. */
async function connect({ mysql, postgres, redis: redisPort }: NonNullable<BenchOptions['databases']>) {
  const { createPool } = await import('mysql2');
  const { default: pg } = await import('pg');
  // The instrumentations do not see these two if they are imported as ES modules.
  const { Redis } = load('ioredis') as typeof import('ioredis');
  const { DataSource, EntitySchema } = load('typeorm') as typeof import('typeorm');

  const common = { host: '127.0.0.1', database: 'd' };
  const pool = new pg.Pool({ ...common, port: postgres, user: 'u', max: CONNECTIONS });
  const mysqlPool = createPool({ ...common, port: mysql, user: 'u', connectionLimit: CONNECTIONS }).promise();
  const redisOptions = { host: '127.0.0.1', port: redisPort, enableReadyCheck: false, disableClientInfo: true };
  const [redis, hiddenRedis] = [new Redis(redisOptions), new Redis(redisOptions)];
  const entity = new EntitySchema<User>({
    name: 'User',
    tableName: 'users',
    columns: { id: { type: Number, primary: true }, name: { type: String } },
  });
  const dataSource = await new DataSource({
    type: 'postgres',
    ...common,
    port: postgres,
    username: 'u',
    entities: [entity],
    installExtensions: false,
    extra: { max: CONNECTIONS },
  }).initialize();
  return { dataSource, hiddenRedis, mysqlPool, pool, redis, users: dataSource.getRepository(entity) };
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
