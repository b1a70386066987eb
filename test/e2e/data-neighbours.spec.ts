/** Each query has one span, whoever makes it, and never below the request of another. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Apps } from '../support/apps.js';
import { startMysqlServer, type MysqlServer } from '../support/mysql-server.js';
import { startEmbeddedPostgres, type PostgresServer } from '../support/postgres-server.js';

interface QuerySpan {
  readonly maker: string;
  readonly text: string;
  readonly parent: string;
}

const apps = new Apps();
let mysql: MysqlServer;
let postgres: PostgresServer;

beforeAll(async () => {
  [mysql, postgres] = await Promise.all([startMysqlServer(), startEmbeddedPostgres()]);
}, 60_000);

afterAll(async () => {
  apps.remove();
  await Promise.all([mysql.stop(), postgres.stop()]);
});

async function querySpans(options: { hasSdk: boolean; isInstrumented: boolean }): Promise<QuerySpan[]> {
  const ports = { mysqlPort: mysql.port, pgPort: postgres.port };
  const { stdout, stderr } = await apps.run('data-neighbours', { args: [JSON.stringify({ ...options, ...ports })] });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as QuerySpan[];
}

const PER_REQUEST = 10;
const REQUESTS = ['request 0', 'request 1', 'request 2', 'request 3'];

function countByParent(spans: readonly QuerySpan[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { parent } of spans) counts[parent] = (counts[parent] ?? 0) + 1;
  return counts;
}

const expectedCounts = Object.fromEntries(REQUESTS.map((name) => [name, PER_REQUEST]));

it.each([
  ['beside an SDK of the application', { hasSdk: true, isInstrumented: false }],
  ['alone', { hasSdk: false, isInstrumented: false }],
])('the library makes the spans %s, below their own requests', async (_, options) => {
  const spans = await querySpans(options);
  expect([...new Set(spans.map(({ maker }) => maker))]).toEqual(['nestjs-tracing']);
  expect(countByParent(spans)).toEqual(expectedCounts);
});

it('leaves the spans to the instrumentations of OpenTelemetry, and gives them the right context', async () => {
  const spans = await querySpans({ hasSdk: false, isInstrumented: true });
  expect(spans.filter(({ maker }) => maker === 'nestjs-tracing')).toEqual([]);
  expect(spans).toHaveLength(PER_REQUEST * REQUESTS.length);
  expect(countByParent(spans)).toEqual(expectedCounts);
});

it('leaves the spans to the instrumentations of OpenTelemetry, beside an SDK of the application', async () => {
  const spans = await querySpans({ hasSdk: true, isInstrumented: true });
  expect(spans.filter(({ maker }) => maker === 'nestjs-tracing')).toEqual([]);
  expect(spans).toHaveLength(PER_REQUEST * REQUESTS.length);
});
