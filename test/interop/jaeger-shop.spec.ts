import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Shop } from '../../sample/02-shop/run/shop.js';
import type { Span } from '../../sample/02-shop/run/span.js';
import { problemsOf, type ExpectedSpan } from '../../sample/02-shop/run/trace-check.js';
import { send, visits, type Visited } from '../../sample/02-shop/run/visits.js';
import { CompiledFolder } from '../support/compiled-folder.js';
import { Jaeger } from './support/jaeger.js';
import type { JaegerTrace } from './support/jaeger-query.js';
import { shopSpans, valuesOf } from './support/shop-traces.js';
import { ways, wayNames } from './support/ways.js';

const SERVICES = ['gateway', 'inventory', 'notifications', 'orders'];

let sample: CompiledFolder;
beforeAll(() => void (sample = new CompiledFolder('sample/02-shop')));
afterAll(() => sample.remove());

describe.each(wayNames)('the shop, by %s', (way) => {
  let jaeger: Jaeger;
  let answers: Visited[];
  const traces: JaegerTrace[] = [];
  let spans: Span[];

  beforeAll(async () => {
    jaeger = await Jaeger.start();
    const shop = await Shop.start({ folder: sample.path, traces: '', env: ways[way].env(jaeger) });
    try {
      const url = await Promise.race([shop.ready, shop.broken]);
      answers = [];
      for (const visit of visits) answers.push(await Promise.race([send(url, visit), shop.broken]));
    } finally {
      await shop.stop();
    }
    for (const [index, { traceId }] of answers.entries()) {
      traces.push(await jaeger.query.traceOf(countOf(visits[index]!.trace), traceId));
    }
    spans = traces.flatMap(shopSpans);
  });
  afterAll(() => jaeger?.stop());

  it('answers as it should', () => {
    expect(answers.map(({ status }) => status)).toEqual(visits.map(({ status }) => status));
  });

  it.each(visits.map(({ title }, index) => [title, index] as const))('has the whole trace of: %s', (_title, index) => {
    expect(problemsOf(shopSpans(traces[index]!), visits[index]!.trace)).toEqual([]);
  });

  it('knows the services, and what each of them does', async () => {
    expect(await jaeger.query.services()).toEqual(SERVICES);
    expect(await jaeger.query.operations('gateway')).toEqual([
      'OrdersController.place (internal)',
      'POST /orders (server)',
      'shop.Orders/Place (client)',
    ]);
    expect(await jaeger.query.operations('orders')).toEqual([
      'BEGIN (client)',
      'COMMIT (client)',
      'INSERT order_items (client)',
      'INSERT orders (client)',
      'OrdersController.place (internal)',
      'OrdersService.place (internal)',
      'POST (client)',
      'PaymentsService.charge (internal)',
      'PricingService.total (internal)',
      'SELECT products (client)',
      'pick items (internal)',
      'send order.placed (producer)',
      'shop.Inventory/Pick (client)',
      'shop.Inventory/Reserve (client)',
      'shop.Orders/Place (server)',
    ]);
    expect(await jaeger.query.operations('inventory')).toEqual([
      'InventoryController.pick (internal)',
      'InventoryController.reserve (internal)',
      'StockService.pick (internal)',
      'StockService.reserve (internal)',
      'shop.Inventory/Pick (server)',
      'shop.Inventory/Reserve (server)',
    ]);
    expect(await jaeger.query.operations('notifications')).toEqual([
      'DigestJob.collect (internal)',
      'NotificationsController.confirm (internal)',
      'process order.placed (consumer)',
      'send mail (internal)',
    ]);
  });

  it('draws who calls whom, and how often', async () => {
    const orders = spans.filter(({ service, kind }) => service === 'orders' && kind === 'SERVER').length;
    const inventory = spans.filter(({ service, kind }) => service === 'inventory' && kind === 'SERVER').length;
    // Jaeger's memory storage also draws the calls of a service to itself.
    const drawn = (await jaeger.query.dependencies()).filter(({ parent, child }) => parent !== child);
    const placed = spans.filter(({ service, kind }) => service === 'notifications' && kind === 'CONSUMER').length;
    expect([orders, inventory, placed]).toEqual([3, 5, 2]);
    expect(drawn.toSorted((a, b) => (a.parent + a.child).localeCompare(b.parent + b.child))).toEqual([
      expect.objectContaining({ parent: 'gateway', child: 'orders', callCount: orders }),
      expect.objectContaining({ parent: 'orders', child: 'inventory', callCount: inventory }),
      expect.objectContaining({ parent: 'orders', child: 'notifications', callCount: placed }),
    ]);
  });

  it('has what happened within spans, and when', () => {
    const events = spans.flatMap((span) => span.events.map((event) => ({ ...event, span })));
    const named = (name: string) => events.filter((event) => event.name === name);
    expect(named('stock reserved').map(({ attributes }) => attributes['order.pieces'])).toEqual([3, 1, 1]);
    expect(named('item picked').map(({ attributes }) => attributes['item.sku'])).toEqual(['book', 'pen', 'piano']);
    expect(named('exception').map(({ attributes }) => attributes['exception.message'])).toContain(
      'The card was declined',
    );
    for (const { time, span } of events) {
      // The clocks of spans and of events differ by less than a millisecond.
      expect(time).toBeGreaterThan(span.start - 2);
      expect(time).toBeLessThan(span.end + 2);
    }
  });

  it('has of each failed span what failed', () => {
    const failed = spans.filter((span) => span.failed);
    expect(failed.length).toBeGreaterThan(5);
    for (const { attributes } of failed) expect(attributes['otel.status_code']).toBe('ERROR');
    for (const { attributes } of spans.filter((span) => !span.failed)) {
      expect([attributes.error, attributes['otel.status_code']]).toEqual([undefined, undefined]);
    }
  });

  it('says of each span who has made it, and of each process what it is', () => {
    expect(new Set(spans.map(({ attributes }) => attributes['otel.scope.name']))).toEqual(new Set(['nestjs-tracing']));
    for (const { attributes } of spans) expect(attributes['otel.scope.version']).toMatch(/^\d+\.\d+\.\d+$/);
    for (const { tags } of traces.flatMap(({ processes }) => Object.values(processes))) {
      expect(valuesOf(tags)).toMatchObject({
        'host.name': expect.any(String),
        'process.pid': expect.any(Number),
        'process.runtime.version': process.versions.node,
        'telemetry.sdk.name': 'opentelemetry',
      });
    }
  });
});

function countOf({ children }: ExpectedSpan): number {
  return children.reduce((sum, child) => sum + countOf(child), 1);
}
