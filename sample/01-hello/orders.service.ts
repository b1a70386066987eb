import { setTimeout as work } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Span, SpanAttribute, TracingService } from 'nestjs-tracing';
import { PaymentsService } from './payments.service.js';

export interface Order {
  id: string;
  total: number;
  traceId: string | undefined;
}

@Injectable()
export class OrdersService {
  constructor(
    private readonly payments: PaymentsService,
    private readonly tracing: TracingService,
  ) {}

  @Span({ onResult: (order: Order) => ({ 'order.total': order.total }) })
  async place(@SpanAttribute('order.id') id: string): Promise<Order> {
    const total = await this.tracing.span('price items', async (span) => {
      const items = id === 'slow' ? 40 : 3;
      span.setAttribute('order.items', items);
      await work(items * 8);
      return items * 9.5;
    });
    this.tracing.addEvent('order priced', { 'order.total': total });
    await this.payments.charge(id, total);
    return { id, total, traceId: this.tracing.traceId };
  }
}
