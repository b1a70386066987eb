import { status } from '@grpc/grpc-js';
import { Injectable } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import type { Item, Order } from '../proto/orders.js';
import { Database } from './database.js';

interface OrderRow extends Item {
  total: number;
}

@Injectable()
export class OrdersRepository {
  constructor(private readonly database: Database) {}

  /** Inserts an order and its items in one transaction. */
  async insert({ id, items, total }: Order): Promise<void> {
    const client = await this.database.connect();
    try {
      await client.query('BEGIN');
      await client.query('INSERT INTO orders VALUES ($1, $2)', [id, total]);
      for (const { sku, quantity } of items) {
        await client.query('INSERT INTO order_items VALUES ($1, $2, $3)', [id, sku, quantity]);
      }
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  }

  async find(id: string): Promise<Order> {
    const { rows } = await this.database.query<OrderRow>(
      'SELECT total, sku, quantity FROM orders JOIN order_items ON order_id = id WHERE id = $1',
      [id],
    );
    const [first] = rows;
    if (!first) throw new RpcException({ code: status.NOT_FOUND, message: `There is no order ${id}` });
    return { id, items: rows.map(({ sku, quantity }) => ({ sku, quantity })), total: first.total };
  }
}
