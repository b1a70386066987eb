import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { NewOrder, Order } from '../proto/orders.js';
import { OrdersService } from './orders.service.js';

@Controller()
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @GrpcMethod('Orders')
  place(order: NewOrder): Promise<Order> {
    return this.orders.place(order);
  }

  @GrpcMethod('Orders')
  get({ id }: { id: string }): Promise<Order> {
    return this.orders.get(id);
  }
}
