import { randomUUID } from 'node:crypto';
import { CACHE_MANAGER, type Cache } from '@nestjs/cache-manager';
import { Inject, Injectable } from '@nestjs/common';
import { Counted, Span, SpanAttribute, TracingService } from 'nestjs-tracing';
import type { NewOrder, Order } from '../proto/orders.js';
import { InventoryService } from './inventory.service.js';
import { OrderEvents } from './order-events.js';
import { OrdersRepository } from './orders.repository.js';
import { PaymentsService } from './payments.service.js';
import { PricingService } from './pricing.service.js';

@Injectable()
export class OrdersService {
  constructor(
    private readonly pricing: PricingService,
    private readonly inventory: InventoryService,
    private readonly payments: PaymentsService,
    private readonly repository: OrdersRepository,
    private readonly events: OrderEvents,
    private readonly tracing: TracingService,
    @Inject(CACHE_MANAGER) private readonly cache: Cache,
  ) {}

  @Span({ onResult: (order: Order) => ({ 'order.id': order.id }) })
  @Counted('orders.placed')
  async place({ items, card }: NewOrder): Promise<Order> {
    const total = await this.pricing.total(items);
    const { pieces } = await this.inventory.reserve(items);
    this.tracing.addEvent('stock reserved', { 'order.pieces': pieces });
    await this.payments.charge(card, total);
    await this.inventory.pick(items);
    const order = { id: randomUUID(), items, total };
    await this.repository.insert(order);
    this.events.placed(order);
    return order;
  }

  @Span()
  get(@SpanAttribute('order.id') id: string): Promise<Order> {
    return this.cache.wrap(`order:${id}`, () => this.repository.find(id));
  }
}
