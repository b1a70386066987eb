import { setTimeout as work } from 'node:timers/promises';
import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { TracingService } from 'nestjs-tracing';
import type { Order } from '../proto/orders.js';

@Controller()
export class NotificationsController {
  constructor(private readonly tracing: TracingService) {}

  /** Sends a confirmation. The customer has the answer to the order already. */
  @EventPattern('order.placed')
  async confirm(@Payload() { id }: Order): Promise<void> {
    this.tracing.setAttributes({ 'order.id': id });
    await this.tracing.span('send mail', () => work(5));
  }
}
