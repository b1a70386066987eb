import type { Item } from '../proto/orders.js';
import type { Attributes, SpanKind } from './span.js';
import type { ExpectedSpan } from './trace-check.js';

const gateway = service('gateway');
const orders = service('orders');
const inventory = service('inventory');

/** An order that went through all services. */
export function placedOrder(tenant: string, items: readonly Item[], total: number): ExpectedSpan {
  const picked = items.map(({ sku }) => inventory('INTERNAL', 'StockService.pick', { 'item.sku': sku }));
  const pick = orders('INTERNAL', 'pick items', {}, [
    called(orders, inventory, 'shop.Inventory/Pick', [
      inventory('INTERNAL', 'InventoryController.pick', { 'tenant.id': tenant }, picked),
    ]),
  ]);
  return orderOf(201, [...pricedAndReserved(tenant, items, total), charged(201, total), pick]);
}

/** An order whose card was declined. */
export function declinedOrder(tenant: string, items: readonly Item[], total: number): ExpectedSpan {
  return orderOf(402, [...pricedAndReserved(tenant, items, total), charged(402, total)]);
}

/** An order that the validation refused, before the handler. */
export function invalidOrder(): ExpectedSpan {
  return gateway('SERVER', 'POST /orders', { 'http.response.status_code': 400 });
}

/** An order that the guard did not let in. */
export function strangersOrder(): ExpectedSpan {
  return gateway('SERVER', 'POST /orders', { 'http.response.status_code': 401 });
}

/** The way from the customer to the steps of an order. What fails there fails all the way back. */
function orderOf(code: number, steps: readonly ExpectedSpan[]): ExpectedSpan {
  const place = endedBy(code, orders('INTERNAL', 'OrdersService.place', {}, steps));
  const handler = endedBy(code, orders('INTERNAL', 'OrdersController.place', {}, [place]));
  // Neither server has done anything wrong when a card is declined.
  const served = orders('SERVER', 'shop.Orders/Place', {}, [handler]);
  const call = endedBy(code, gateway('CLIENT', 'shop.Orders/Place', {}, [served]));
  const gatewayHandler = endedBy(code, gateway('INTERNAL', 'OrdersController.place', {}, [call]));
  return gateway('SERVER', 'POST /orders', { 'http.response.status_code': code }, [gatewayHandler]);
}

function pricedAndReserved(tenant: string, items: readonly Item[], total: number): ExpectedSpan[] {
  const pieces = items.reduce((sum, { quantity }) => sum + quantity, 0);
  return [
    orders('INTERNAL', 'PricingService.total', { 'order.total': total }),
    called(orders, inventory, 'shop.Inventory/Reserve', [
      inventory('INTERNAL', 'InventoryController.reserve', { 'tenant.id': tenant }, [
        inventory('INTERNAL', 'StockService.reserve', { 'stock.pieces': pieces }),
      ]),
    ]),
  ];
}

function charged(code: number, total: number): ExpectedSpan {
  const request = endedBy(code, orders('CLIENT', 'POST', { 'http.response.status_code': code }));
  return endedBy(code, orders('INTERNAL', 'PaymentsService.charge', { 'payment.amount': total }, [request]));
}

/** A gRPC call: a span on each side. */
function called(caller: Service, callee: Service, method: string, children: readonly ExpectedSpan[]): ExpectedSpan {
  return caller('CLIENT', method, {}, [callee('SERVER', method, {}, children)]);
}

function endedBy(code: number, span: ExpectedSpan): ExpectedSpan {
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
