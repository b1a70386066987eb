import type { NewOrder } from '../proto/orders.js';
import {
  declinedOrder,
  invalidOrder,
  orderFromCache,
  orderFromDatabase,
  placedOrder,
  strangersOrder,
  type CacheKind,
} from './expected-traces.js';
import type { ExpectedSpan } from './trace-check.js';

/** A request to the shop, with the expected status and trace. */
interface ShopRequest {
  readonly title: string;
  readonly tenant?: string;
  readonly status: number;
  readonly trace: ExpectedSpan;
}

/** A request that places an order. */
export interface Visit extends ShopRequest {
  readonly order: NewOrder;
}

/** A request for an order that was placed before. */
export interface LookUp extends ShopRequest {
  readonly orderId: string;
}

/** The response to a visit. */
export interface Visited {
  readonly status: number;
  readonly traceId: string;
  readonly body: string;
}

const book = { sku: 'book', quantity: 2 };
const pen = { sku: 'pen', quantity: 1 };
const piano = { sku: 'piano', quantity: 1 };

export const goodOrder: Visit = {
  title: 'A good order',
  tenant: 'acme',
  order: { items: [book, pen], card: 'visa' },
  status: 201,
  trace: placedOrder('acme', [book, pen], 26),
};

export const visits: readonly Visit[] = [
  goodOrder,
  {
    title: 'A slow order: a piano takes long to pick',
    tenant: 'acme',
    order: { items: [piano], card: 'visa' },
    status: 201,
    trace: placedOrder('acme', [piano], 4200),
  },
  {
    title: 'A declined card',
    tenant: 'globex',
    order: { items: [pen], card: 'declined' },
    status: 402,
    trace: declinedOrder('globex', [pen], 2),
  },
  {
    title: 'An invalid order, stopped by the validation',
    tenant: 'globex',
    order: { items: [], card: 'visa' },
    status: 400,
    trace: invalidOrder(),
  },
  {
    title: 'An order without a tenant, stopped by the guard',
    order: { items: [book], card: 'visa' },
    status: 401,
    trace: strangersOrder(),
  },
];

/** Two requests for an order that no one has asked for yet. */
export function lookUpsOf(orderId: string, tenant: string, cache: CacheKind): LookUp[] {
  const common = { tenant, orderId, status: 200 };
  return [
    { title: 'The order again, from the database', trace: orderFromDatabase(cache), ...common },
    { title: 'And once more, from the cache', trace: orderFromCache(cache), ...common },
  ];
}

export async function send(url: string, visit: Visit | LookUp): Promise<Visited> {
  const headers: Record<string, string> = visit.tenant === undefined ? {} : { 'x-tenant-id': visit.tenant };
  const response =
    'orderId' in visit
      ? await fetch(`${url}/orders/${visit.orderId}`, { headers })
      : await fetch(`${url}/orders`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify(visit.order),
        });
  const body = await response.text();
  return { status: response.status, traceId: response.headers.get('x-trace-id') ?? '', body };
}

export function curlLine(url: string, { tenant, order }: Visit): string {
  const data = JSON.stringify(order);
  return `curl ${url}/orders -H 'content-type: application/json' -H 'x-tenant-id: ${tenant}' -d '${data}'`;
}
