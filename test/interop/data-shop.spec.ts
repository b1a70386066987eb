/** The shop with a real PostgreSQL and a real Redis, and with its embedded database. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Order } from '../../sample/02-shop/proto/orders.js';
import { digestJob } from '../../sample/02-shop/run/expected-traces.js';
import { Shop } from '../../sample/02-shop/run/shop.js';
import type { Span } from '../../sample/02-shop/run/span.js';
import { problemsOf } from '../../sample/02-shop/run/trace-check.js';
import { TraceReceiver } from '../../sample/02-shop/run/trace-receiver.js';
import { lookUpsOf, send, visits, type LookUp, type Visit } from '../../sample/02-shop/run/visits.js';
import type { PostgresServer } from '../support/postgres-server.js';
import { CompiledFolder } from '../support/compiled-folder.js';
import type { Broker } from './support/brokers.js';
import { startPostgres, startRedis } from './support/databases.js';

const ROUNDS = 10;

let sample: CompiledFolder;
let postgres: PostgresServer;
let redis: Broker;
let traces: TraceReceiver;
const sent: { readonly visit: Visit | LookUp; readonly traceId: string; readonly status: number }[] = [];

beforeAll(async () => {
  sample = new CompiledFolder('sample/02-shop');
  [postgres, redis, traces] = await Promise.all([startPostgres(), startRedis(), TraceReceiver.start()]);
  const { database, port, user } = postgres;
  const env = {
    DATABASE_URL: `postgres://${user}:pw-secret@127.0.0.1:${port}/${database}`,
    // Less than the orders at once, so that they wait for each other.
    DATABASE_CONNECTIONS: '2',
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
  };
  const shop = await Shop.start({ folder: sample.path, traces: traces.url, env });
  try {
    const url = await Promise.race([shop.ready, shop.broken]);
    const order = async (visit: Visit | LookUp): Promise<string> => {
      const { body, status, traceId } = await Promise.race([send(url, visit), shop.broken]);
      sent.push({ visit, status, traceId });
      return body;
    };
    const orderAndLookUp = async (visit: Visit): Promise<void> => {
      const body = await order(visit);
      if (visit.status !== 201) return;
      const { id } = JSON.parse(body) as Order;
      for (const lookUp of lookUpsOf(id, visit.tenant!, 'redis')) await order(lookUp);
    };
    const all = Array.from({ length: ROUNDS }, () => visits).flat();
    await Promise.all(all.map(orderAndLookUp));
  } finally {
    await shop.stop();
  }
}, 120_000);

afterAll(async () => {
  await Promise.all([traces.stop(), postgres.stop(), redis.stop()]);
  sample.remove();
});

describe('the shop with PostgreSQL and Redis', () => {
  it('answers as it should', () => {
    expect(sent.map(({ status }) => status)).toEqual(sent.map(({ visit }) => visit.status));
  });

  it('leaves exactly the expected spans of each request, and no other trace', () => {
    const problems = sent.flatMap(({ traceId, visit }) => problemsOf(traces.spansOf(traceId), visit.trace));
    expect(problems).toEqual([]);
    const jobs = traces.traceIds.filter((traceId) => problemsOf(traces.spansOf(traceId), digestJob()).length === 0);
    expect(jobs).toHaveLength(1);
    expect(traces.traceIds.toSorted()).toEqual([...sent.map(({ traceId }) => traceId), ...jobs].toSorted());
  });

  it('knows both servers, and what was asked of them', () => {
    const spans = sent.flatMap(({ traceId }) => traces.spansOf(traceId));
    const of = (name: string) => spans.find((span) => span.name === name)?.attributes;
    expect(of('SELECT orders order_items')).toMatchObject({
      'db.system.name': 'postgresql',
      'db.namespace': postgres.database,
      'db.query.text': 'SELECT total, sku, quantity FROM orders JOIN order_items ON order_id = id WHERE id = $1',
      'server.address': '127.0.0.1',
      'server.port': postgres.port,
    });
    expect(of('SET')).toMatchObject({
      'db.system.name': 'redis',
      'db.operation.name': 'SET',
      'db.namespace': '0',
      'server.address': '127.0.0.1',
      'server.port': redis.port,
    });
  });

  it('exports no password, and no value of a query or a command', () => {
    const databaseSpans = sent
      .flatMap(({ traceId }) => traces.spansOf(traceId))
      .filter(({ attributes }: Span) => attributes['db.system.name'] !== undefined);
    expect(databaseSpans.length).toBeGreaterThan(ROUNDS * 10);
    const orderIds = sent.flatMap(({ visit }) => ('orderId' in visit ? [visit.orderId] : []));
    const text = JSON.stringify(databaseSpans.map(({ attributes, events, name }) => ({ attributes, events, name })));
    // The total of an order is left out: a port or a time may have the same digits.
    expect([...orderIds, 'pw-secret', 'piano'].filter((value) => text.includes(value))).toEqual([]);
  });
});
