import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { Injectable } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { Counted, Span, SpanAttribute, TracingService } from 'nestjs-tracing';
import type { NewOrder, Order } from '../proto/orders.js';
import { InventoryService } from './inventory.service.js';
import { PaymentsService } from './payments.service.js';
import { PricingService } from './pricing.service.js';

@Injectable()
export class OrdersService {
  private readonly placed = new Map<string, Order>();

  constructor(
    private readonly pricing: PricingService,
    private readonly inventory: InventoryService,
    private readonly payments: PaymentsService,
    private readonly tracing: TracingService,
  ) {}

  @Span({ onResult: (order: Order) => ({ 'order.id': order.id }) })
  @Counted('orders.placed')
  async place({ items, card }: NewOrder): Promise<Order> {
    const total = this.pricing.total(items);
    const { pieces } = await this.inventory.reserve(items);
    this.tracing.addEvent('stock reserved', { 'order.pieces': pieces });
    await this.payments.charge(card, total);
    await this.inventory.pick(items);
    const order = { id: randomUUID(), items, total };
    this.placed.set(order.id, order);
    return order;
  }

  @Span()
  get(@SpanAttribute('order.id') id: string): Order {
    const order = this.placed.get(id);
    if (!order) throw new RpcException({ code: status.NOT_FOUND, message: `There is no order ${id}` });
    return order;
  }
}
