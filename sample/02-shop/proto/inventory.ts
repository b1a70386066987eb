import { join } from 'node:path';
import { Transport, type GrpcOptions } from '@nestjs/microservices';
import type { Observable } from 'rxjs';
import type { Item } from './orders.js';

export interface ItemList {
  items: Item[];
}

export interface Reservation {
  pieces: number;
}

export interface PickedItem {
  sku: string;
}

/** The service `shop.Inventory`, as its callers see it. */
export interface Inventory {
  reserve(list: ItemList): Observable<Reservation>;
  pick(list: ItemList): Observable<PickedItem>;
}

/** What both sides of `shop.Inventory` tell Nest. */
export function inventoryGrpc(url: string): GrpcOptions {
  const protoPath = join(import.meta.dirname, 'inventory.proto');
  return { transport: Transport.GRPC, options: { package: 'shop', protoPath, url } };
}
