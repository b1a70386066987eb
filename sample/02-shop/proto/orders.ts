import { join } from 'node:path';
import { Transport, type GrpcOptions } from '@nestjs/microservices';
import type { Observable } from 'rxjs';

export interface Item {
  sku: string;
  quantity: number;
}

export interface NewOrder {
  items: Item[];
  card: string;
}

export interface Order {
  id: string;
  items: Item[];
  total: number;
}

/** The client interface of the service `shop.Orders`. */
export interface Orders {
  place(order: NewOrder): Observable<Order>;
  get(order: { id: string }): Observable<Order>;
}

/** The options of Nest for the server and the clients of `shop.Orders`. */
export function ordersGrpc(url: string): GrpcOptions {
  const protoPath = join(import.meta.dirname, 'orders.proto');
  return { transport: Transport.GRPC, options: { package: 'shop', protoPath, url } };
}
