import { status } from '@grpc/grpc-js';
import { Injectable } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { Span } from 'nestjs-tracing';
import type { Item } from '../proto/orders.js';
import { Database } from './database.js';

interface Product {
  sku: string;
  price: number;
}

@Injectable()
export class PricingService {
  constructor(private readonly database: Database) {}

  @Span({ onResult: (total: number) => ({ 'order.total': total }) })
  async total(items: readonly Item[]): Promise<number> {
    const { rows } = await this.database.query<Product>('SELECT sku, price FROM products WHERE sku = ANY ($1)', [
      items.map(({ sku }) => sku),
    ]);
    return items.reduce((sum, { sku, quantity }) => sum + quantity * priceOf(sku, rows), 0);
  }
}

function priceOf(sku: string, products: readonly Product[]): number {
  const product = products.find((product) => product.sku === sku);
  if (!product) throw new RpcException({ code: status.INVALID_ARGUMENT, message: `The shop has no "${sku}"` });
  return product.price;
}
