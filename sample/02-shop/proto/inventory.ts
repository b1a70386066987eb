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

/** The client interface of the service `shop.Inventory`. */
export interface Inventory {
  reserve(list: ItemList): Observable<Reservation>;
  pick(list: ItemList): Observable<PickedItem>;
}

/** The options of Nest for the server and the clients of `shop.Inventory`. */
export function inventoryGrpc(url: string): GrpcOptions {
  const protoPath = join(import.meta.dirname, 'inventory.proto');
  return { transport: Transport.GRPC, options: { package: 'shop', protoPath, url } };
}
