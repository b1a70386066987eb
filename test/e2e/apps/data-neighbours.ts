/**
 * An application that queries MySQL and PostgreSQL in several requests at once, behind pools of one connection, beside an SDK or
 * instrumentations of OpenTelemetry. It writes the spans of the queries in JSON, each as `maker: name < parent`.
 */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SpanKind, trace } from '@opentelemetry/api';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { MySQL2Instrumentation } from '@opentelemetry/instrumentation-mysql2';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { SimpleSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { TracingModule } from 'nestjs-tracing';
import { Sequelize } from 'sequelize';

interface PrismaHelper {
  runInChildSpan(options: object, callback: () => unknown): unknown;
}

interface Options {
  readonly mysqlPort: number;
  readonly pgPort: number;
  /** True if an SDK of the application is started before the library. */
  readonly hasSdk: boolean;
  /** True if OpenTelemetry's instrumentations of the drivers are enabled. */
  readonly isInstrumented: boolean;
}

const { hasSdk, isInstrumented, mysqlPort, pgPort } = JSON.parse(process.argv[2]!) as Options;
const spans: ReadableSpan[] = [];
const exporter: SpanExporter = {
  export(finished, done) {
    spans.push(...finished);
    done({ code: 0 });
  },
  shutdown: () => Promise.resolve(),
};

if (hasSdk) {
  new NodeSDK({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    instrumentations: [],
    metricReaders: [],
  }).start();
}
if (isInstrumented) {
  registerInstrumentations({ instrumentations: [new MySQL2Instrumentation(), new PgInstrumentation()] });
}
const { createPool } = await import('mysql2');
const { Pool } = (await import('pg')).default;

const mysql = createPool({ host: '127.0.0.1', port: mysqlPort, user: 'u', database: 'shop', connectionLimit: 1 });
const connection = { host: '127.0.0.1', port: pgPort, user: 'postgres', database: 'postgres', max: 1 };
const pg = new Pool(connection);
const sequelize = new Sequelize({
  dialect: 'postgres',
  ...connection,
  username: connection.user,
  logging: false,
  pool: { max: 1 },
});
const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: new Pool(connection) }) });

@Module({
  imports: [TracingModule.forRoot(hasSdk ? {} : { exporter })],
  providers: [
    { provide: 'PG', useValue: pg },
    { provide: 'KYSELY', useValue: kysely },
    { provide: 'SEQUELIZE', useValue: sequelize },
  ],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
const tracer = trace.getTracer('app');

/** Makes a query as a driver adapter of Prisma does, by the contract of Prisma with its instrumentation. */
function queryByPrisma(text: string): unknown {
  const { helper } = (globalThis as unknown as { PRISMA_INSTRUMENTATION: { helper: PrismaHelper } })
    .PRISMA_INSTRUMENTATION;
  const attributes = { 'db.system.name': 'postgresql', 'db.query.text': text };
  return helper.runInChildSpan({ name: 'db_query', attributes }, () => pg.query(text));
}

async function request(id: number): Promise<void> {
  await tracer.startActiveSpan(`request ${id}`, async (span) => {
    await mysql.promise().query(`SELECT ${id} FROM mysql_query`);
    await mysql.promise().execute(`SELECT ${id} FROM mysql_execute`);
    await new Promise<void>((resolve, reject) => {
      mysql.query(`SELECT ${id} FROM mysql_first`, () => {
        mysql.query(`SELECT ${id} FROM mysql_second`, (error) => (error ? reject(error as Error) : resolve()));
      });
    });
    await pg.query(`SELECT ${id} AS pg_query`);
    await new Promise<void>((resolve) => {
      pg.query(`SELECT ${id} AS pg_first`, () => {
        pg.query(`SELECT ${id} AS pg_second`, () => resolve());
      });
    });
    await sql`SELECT ${sql.lit(id)} AS kysely_query`.execute(kysely);
    await sequelize.query(`SELECT ${id} AS sequelize_query`);
    await queryByPrisma(`SELECT ${id} AS prisma_query`);
    span.end();
  });
}

await request(0);
await Promise.all([request(1), request(2), request(3)]);
await new Promise((resolve) => mysql.end(resolve));
await pg.end();
await kysely.destroy();
await sequelize.close();
await app.close();

// Sequelize asks a new connection for its types, outside of any request.
const queries = spans.filter(
  ({ attributes, kind }) => kind === SpanKind.CLIENT && textOf(attributes).startsWith('SELECT'),
);
const lines = queries.map((span) => {
  const parent = spans.find((it) => it.spanContext().spanId === span.parentSpanContext?.spanId);
  const { name } = span.instrumentationScope;
  return { maker: name, text: textOf(span.attributes), parent: rootOf(parent)?.name ?? 'none' };
});
process.stdout.write(`${JSON.stringify(lines)}\n`);

function textOf(attributes: ReadableSpan['attributes']): string {
  return String(attributes['db.query.text'] ?? attributes['db.statement'] ?? '');
}

/** OpenTelemetry's instrumentation has spans for the pool as well. */
function rootOf(span: ReadableSpan | undefined): ReadableSpan | undefined {
  const parent = span && spans.find((it) => it.spanContext().spanId === span.parentSpanContext?.spanId);
  return parent ? rootOf(parent) : span;
}
