import type { Item } from '../proto/orders.js';
import type { Attributes, SpanKind } from './span.js';
import type { ExpectedSpan } from './trace-check.js';

const gateway = service('gateway');
const orders = service('orders');
const inventory = service('inventory');
const notifications = service('notifications');

/** The trace of an order that all services have processed. */
export function placedOrder(tenant: string, items: readonly Item[], total: number): ExpectedSpan {
  const picked = items.map(({ sku }) => inventory('INTERNAL', 'StockService.pick', { 'item.sku': sku }));
  const pick = orders('INTERNAL', 'pick items', {}, [
    grpcCall(orders, inventory, 'shop.Inventory/Pick', [
      inventory('INTERNAL', 'InventoryController.pick', { 'tenant.id': tenant }, picked),
    ]),
  ]);
  const steps = [
    ...priceAndReserveSpans(tenant, items, total),
    chargeSpans(201, total),
    pick,
    ...insertSpans(items),
    notifySpans(),
  ];
  return orderOf(201, steps);
}

/** The trace of an order whose card was declined. */
export function declinedOrder(tenant: string, items: readonly Item[], total: number): ExpectedSpan {
  return orderOf(402, [...priceAndReserveSpans(tenant, items, total), chargeSpans(402, total)]);
}

/** The trace of an order that the validation has rejected, before the handler. */
export function invalidOrder(): ExpectedSpan {
  return gateway('SERVER', 'POST /orders', { 'http.response.status_code': 400 });
}

/** The trace of an order without a tenant, which the guard has rejected. */
export function strangersOrder(): ExpectedSpan {
  return gateway('SERVER', 'POST /orders', { 'http.response.status_code': 401 });
}

/** Where the orders service keeps its cache: in memory, or in Redis, whose commands have the spans. */
export type CacheKind = 'memory' | 'redis';

/** The trace of an order that the cache does not have yet. */
export function orderFromDatabase(cache: CacheKind): ExpectedSpan {
  const query = orders('CLIENT', 'SELECT orders order_items');
  if (cache === 'memory') return lookUpOf([orders('INTERNAL', 'cache wrap', { 'cache.hit': false }, [query])]);
  return lookUpOf([orders('CLIENT', 'GET'), query, orders('CLIENT', 'SET')]);
}

/** The trace of an order that the cache has. */
export function orderFromCache(cache: CacheKind): ExpectedSpan {
  if (cache === 'memory') return lookUpOf([orders('INTERNAL', 'cache wrap', { 'cache.hit': true })]);
  return lookUpOf([orders('CLIENT', 'GET')]);
}

function lookUpOf(steps: readonly ExpectedSpan[]): ExpectedSpan {
  const handler = orders('INTERNAL', 'OrdersController.get', {}, [orders('INTERNAL', 'OrdersService.get', {}, steps)]);
  const call = grpcCall(gateway, orders, 'shop.Orders/Get', [handler]);
  return gateway('SERVER', 'GET /orders/:id', { 'http.response.status_code': 200 }, [
    gateway('INTERNAL', 'OrdersController.one', {}, [call]),
  ]);
}

/** The spans from the gateway to the steps of an order. If the order fails, all of them except server spans fail. */
function orderOf(code: number, steps: readonly ExpectedSpan[]): ExpectedSpan {
  const place = withOutcome(code, orders('INTERNAL', 'OrdersService.place', {}, steps));
  const handler = withOutcome(code, orders('INTERNAL', 'OrdersController.place', {}, [place]));
  // A declined card is not an error of a server.
  const served = orders('SERVER', 'shop.Orders/Place', {}, [handler]);
  const call = withOutcome(code, gateway('CLIENT', 'shop.Orders/Place', {}, [served]));
  const gatewayHandler = withOutcome(code, gateway('INTERNAL', 'OrdersController.place', {}, [call]));
  return gateway('SERVER', 'POST /orders', { 'http.response.status_code': code }, [gatewayHandler]);
}

function priceAndReserveSpans(tenant: string, items: readonly Item[], total: number): ExpectedSpan[] {
  const pieces = items.reduce((sum, { quantity }) => sum + quantity, 0);
  return [
    orders('INTERNAL', 'PricingService.total', { 'order.total': total }, [orders('CLIENT', 'SELECT products')]),
    grpcCall(orders, inventory, 'shop.Inventory/Reserve', [
      inventory('INTERNAL', 'InventoryController.reserve', { 'tenant.id': tenant }, [
        inventory('INTERNAL', 'StockService.reserve', { 'stock.pieces': pieces }),
      ]),
    ]),
  ];
}

function chargeSpans(code: number, total: number): ExpectedSpan {
  const request = withOutcome(code, orders('CLIENT', 'POST', { 'http.response.status_code': code }));
  return withOutcome(code, orders('INTERNAL', 'PaymentsService.charge', { 'payment.amount': total }, [request]));
}

/** The transaction that stores an order. */
function insertSpans(items: readonly Item[]): ExpectedSpan[] {
  const inserts = items.map(() => 'INSERT order_items');
  return ['BEGIN', 'INSERT orders', ...inserts, 'COMMIT'].map((name) => orders('CLIENT', name));
}

/** The event of a placed order, and what comes of it. */
function notifySpans(): ExpectedSpan {
  return orders('PRODUCER', 'send order.placed', {}, [
    notifications('CONSUMER', 'process order.placed', {}, [
      notifications('INTERNAL', 'NotificationsController.confirm', {}, [notifications('INTERNAL', 'send mail')]),
    ]),
  ]);
}

/** The trace of the job that the notifications run at their start. */
export function digestJob(): ExpectedSpan {
  return notifications('INTERNAL', 'DigestJob.collect');
}

/** A gRPC call has one span on each side. */
function grpcCall(caller: Service, callee: Service, method: string, children: readonly ExpectedSpan[]): ExpectedSpan {
  return caller('CLIENT', method, {}, [callee('SERVER', method, {}, children)]);
}

function withOutcome(code: number, span: ExpectedSpan): ExpectedSpan {
  return { ...span, failed: code >= 400 };
}

type Service = ReturnType<typeof service>;

function service(name: string) {
  return (
    kind: SpanKind,
    spanName: string,
    attributes: Attributes = {},
    children: readonly ExpectedSpan[] = [],
  ): ExpectedSpan => ({ service: name, kind, name: spanName, attributes, children });
}
