import { status } from '@grpc/grpc-js';
import { Injectable } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { Span } from 'nestjs-tracing';
import type { Item } from '../proto/orders.js';

const prices = new Map([
  ['book', 12],
  ['pen', 2],
  ['piano', 4200],
]);

@Injectable()
export class PricingService {
  @Span({ onResult: (total: number) => ({ 'order.total': total }) })
  total(items: readonly Item[]): number {
    return items.reduce((sum, { sku, quantity }) => sum + quantity * this.priceOf(sku), 0);
  }

  private priceOf(sku: string): number {
    const price = prices.get(sku);
    if (!price) throw new RpcException({ code: status.INVALID_ARGUMENT, message: `The shop has no "${sku}"` });
    return price;
  }
}
