import { Inject, Injectable } from '@nestjs/common';
import type { ClientProxy } from '@nestjs/microservices';
import type { Order } from '../proto/orders.js';

export const NOTIFICATIONS_CLIENT = 'notifications client';

@Injectable()
export class OrderEvents {
  constructor(@Inject(NOTIFICATIONS_CLIENT) private readonly notifications: ClientProxy) {}

  /** Reports a placed order. No one waits for what comes of it. */
  placed(order: Order): void {
    this.notifications.emit('order.placed', order);
  }
}
