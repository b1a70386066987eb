import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  declinedOrder,
  digestJob,
  invalidOrder,
  placedOrder,
  strangersOrder,
} from '../../sample/02-shop/run/expected-traces.js';
import type { Order } from '../../sample/02-shop/proto/orders.js';
import { Shop, type ShopOptions } from '../../sample/02-shop/run/shop.js';
import type { Span } from '../../sample/02-shop/run/span.js';
import { problemsOf } from '../../sample/02-shop/run/trace-check.js';
import { TraceReceiver } from '../../sample/02-shop/run/trace-receiver.js';
import { goodOrder, lookUpsOf, send, type LookUp, type Visit, type Visited } from '../../sample/02-shop/run/visits.js';
import { CompiledFolder } from '../support/compiled-folder.js';
import { scale } from '../support/scale.js';

const ORDERS = 100 * scale;
const AT_ONCE = 25;
/** The time limit in milliseconds. The test takes a fraction of it if no other test runs at the same time. */
const PATIENCE = 240_000;

let sample: CompiledFolder;

beforeAll(() => {
  sample = new CompiledFolder('sample/02-shop');
});

afterAll(() => sample.remove());

describe(`${ORDERS} orders at the shop, ${AT_ONCE} at once`, () => {
  const visits = Array.from({ length: ORDERS }, (_, number) => visit(number));
  let traces: TraceReceiver;
  let answers: Visited[];
  const lookUps: { readonly lookUp: LookUp; readonly answer: Visited }[] = [];

  beforeAll(async () => {
    // No span may be dropped, so that a missing span is a fault.
    const env = { OTEL_BSP_MAX_QUEUE_SIZE: '100000' };
    ({ traces, answers } = await openShop({ env }, (url) =>
      inTurn(visits, AT_ONCE, async (visit) => {
        const answer = await send(url, visit);
        if (visit.title === 'slow') {
          const { id } = JSON.parse(answer.body) as Order;
          for (const lookUp of lookUpsOf(id, visit.tenant!, 'memory')) {
            lookUps.push({ lookUp, answer: await send(url, lookUp) });
          }
        }
        return answer;
      }),
    ));
  }, PATIENCE);

  it('are answered as they should be', () => {
    expect(answers.map(({ status }) => status)).toEqual(visits.map(({ status }) => status));
  });

  it('leave one trace each, and no other', () => {
    const traceIds = [...answers, ...lookUps.map(({ answer }) => answer)].map(({ traceId }) => traceId);
    expect(new Set(traceIds).size).toBe(ORDERS + ORDERS / 5);
    const jobs = traces.traceIds.filter((traceId) => problemsOf(traces.spansOf(traceId), digestJob()).length === 0);
    expect(jobs).toHaveLength(1);
    expect(traces.traceIds.toSorted()).toEqual([...traceIds, ...jobs].toSorted());
  });

  // The comparison includes the tenant and the sums of each order, so that data of another order would be noticed.
  it('leave exactly the expected spans, each in its own trace, once, and below its parent', () => {
    const problems = visits.flatMap(({ trace }, number) =>
      problemsOf(traces.spansOf(answers[number]!.traceId), trace).map((problem) => `order ${number} ${problem}`),
    );
    expect(problems).toEqual([]);
  });

  it('are found in the database, and then in the cache', () => {
    const problems = lookUps.flatMap(({ answer, lookUp }) => problemsOf(traces.spansOf(answer.traceId), lookUp.trace));
    expect(problems).toEqual([]);
    expect(new Set(lookUps.map(({ answer }) => answer.status))).toEqual(new Set([200]));
  });

  it('would not pass with a span missing, misplaced, doubled, or of another order', () => {
    const { trace } = visits[0]!;
    const spans = traces.spansOf(answers[0]!.traceId);
    const root = spans.find(({ parentId }) => parentId === undefined)!;
    const others = traces.spansOf(answers[1]!.traceId);
    const changed = (index: number, change: Partial<Span>) =>
      spans.map((span, at) => (at === index ? { ...span, ...change } : span));
    const unnoticed = spans.flatMap((span, index) => {
      const stranger = others.find(
        ({ service, kind, name }) => name === span.name && kind === span.kind && service === span.service,
      )!;
      const broken: Record<string, readonly Span[]> = {
        missing: spans.toSpliced(index, 1),
        doubled: [...spans, span],
        failed: changed(index, { failed: !span.failed }),
        orphaned: changed(index, { parentId: 'f00' }),
        strange: spans.with(index, stranger),
        ...(span.parentId !== root.spanId && { misplaced: changed(index, { parentId: root.spanId }) }),
      };
      return Object.keys(broken)
        .filter((fault) => problemsOf(broken[fault]!, trace).length === 0)
        .map((fault) => `${fault}: ${span.name}`);
    });
    expect(spans.length).toBeGreaterThan(15);
    expect(unnoticed).toEqual([]);
  });
});

it(
  'is not complete where one of the services is not traced',
  async () => {
    const envOf = { orders: { OTEL_SDK_DISABLED: 'true' } };
    const { traces, answers } = await openShop({ envOf }, async (url) => [await send(url, goodOrder)]);
    expect(answers[0]).toMatchObject({ status: 201 });
    expect(problemsOf(traces.spansOf(answers[0]!.traceId), goodOrder.trace)).not.toEqual([]);
    // The inventory is called without a trace context.
    expect(traces.traceIds.length).toBeGreaterThan(1);
  },
  PATIENCE,
);

/** Orders of all kinds, each with unique contents. */
function visit(number: number): Visit {
  const tenant = `tenant-${number}`;
  const [books, pens] = [Math.floor(number / 100) + 1, (number % 100) + 1];
  const items = [
    { sku: 'book', quantity: books },
    { sku: 'pen', quantity: pens },
  ];
  const total = 12 * books + 2 * pens;
  const piano = { sku: 'piano', quantity: 1 };
  const order = { items, card: 'visa' };
  switch (number % 10) {
    case 3:
      return {
        title: 'slow',
        tenant,
        status: 201,
        order: { ...order, items: [...items, piano] },
        trace: placedOrder(tenant, [...items, piano], total + 4200),
      };
    case 5:
      return {
        title: 'declined',
        tenant,
        status: 402,
        order: { ...order, card: 'declined' },
        trace: declinedOrder(tenant, items, total),
      };
    case 7:
      return { title: 'invalid', tenant, status: 400, order: { ...order, items: [] }, trace: invalidOrder() };
    case 9:
      return { title: 'without a tenant', status: 401, order, trace: strangersOrder() };
    default:
      return { title: 'good', tenant, status: 201, order, trace: placedOrder(tenant, items, total) };
  }
}

/** Runs `task` for each item, this many at once, and returns the results in the order of the items. */
async function inTurn<T, R>(items: readonly T[], atOnce: number, task: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await task(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

/** Starts a shop for `use`, and then closes it, so that all spans are exported. */
async function openShop(
  options: Pick<ShopOptions, 'env' | 'envOf'>,
  use: (url: string) => Promise<Visited[]>,
): Promise<{ traces: TraceReceiver; answers: Visited[] }> {
  const traces = await TraceReceiver.start();
  const shop = await Shop.start({ ...options, folder: sample.path, traces: traces.url });
  try {
    const answers = await Promise.race([shop.ready.then(use), shop.broken]);
    return { traces, answers };
  } finally {
    await shop.stop();
    await traces.stop();
  }
}
