import type { NewOrder } from '../proto/orders.js';
import { declinedOrder, invalidOrder, placedOrder, strangersOrder } from './expected-traces.js';
import type { ExpectedSpan } from './trace-check.js';

/** A request to the shop, with the expected status and trace. */
export interface Visit {
  readonly title: string;
  readonly tenant?: string;
  readonly order: NewOrder;
  readonly status: number;
  readonly trace: ExpectedSpan;
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

export async function send(url: string, { tenant, order }: Visit): Promise<Visited> {
  const response = await fetch(`${url}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(tenant !== undefined && { 'x-tenant-id': tenant }) },
    body: JSON.stringify(order),
  });
  const body = await response.text();
  return { status: response.status, traceId: response.headers.get('x-trace-id') ?? '', body };
}

export function curlLine(url: string, { tenant, order }: Visit): string {
  const data = JSON.stringify(order);
  return `curl ${url}/orders -H 'content-type: application/json' -H 'x-tenant-id: ${tenant}' -d '${data}'`;
}
