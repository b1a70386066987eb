import { setTimeout as work } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { Injectable } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { Span, SpanAttribute } from 'nestjs-tracing';
import type { PickedItem } from '../proto/inventory.js';
import type { Item } from '../proto/orders.js';

/** The greatest stock of an item. */
const MAX_PIECES = 500;

@Injectable()
export class StockService {
  @Span({ onResult: (pieces: number) => ({ 'stock.pieces': pieces }) })
  async reserve(items: readonly Item[]): Promise<number> {
    await work(4);
    const missing = items.find(({ quantity }) => quantity > MAX_PIECES);
    if (missing) throw new RpcException({ code: status.RESOURCE_EXHAUSTED, message: `Too few of "${missing.sku}"` });
    return items.reduce((sum, { quantity }) => sum + quantity, 0);
  }

  @Span()
  async pick(@SpanAttribute('item.sku', ({ sku }: Item) => sku) { sku }: Item): Promise<PickedItem> {
    await work(sku === 'piano' ? 240 : 6);
    return { sku };
  }
}
