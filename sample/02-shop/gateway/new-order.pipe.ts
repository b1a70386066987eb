import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';
import type { Item, NewOrder } from '../proto/orders.js';

/** Rejects a body that is not an order. */
@Injectable()
export class NewOrderPipe implements PipeTransform<Partial<NewOrder> | undefined, NewOrder> {
  transform(body: Partial<NewOrder> = {}): NewOrder {
    const { items, card } = body;
    if (!Array.isArray(items) || items.length === 0) throw new BadRequestException('An order has at least one item');
    if (!items.every(isItem)) throw new BadRequestException('An item has a sku and a quantity from 1 to 1000');
    if (typeof card !== 'string') throw new BadRequestException('An order has a card');
    return { items, card };
  }
}

function isItem(item: Partial<Item> | null): item is Item {
  const quantity = Number.isInteger(item?.quantity) ? Number(item?.quantity) : 0;
  return typeof item?.sku === 'string' && quantity >= 1 && quantity <= 1000;
}
