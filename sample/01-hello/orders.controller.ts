import { Controller, Get, Param } from '@nestjs/common';
import { OrdersService, type Order } from './orders.service.js';

@Controller()
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Get('orders/:id')
  one(@Param('id') id: string): Promise<Order> {
    return this.orders.place(id);
  }

  @Get('health')
  health(): string {
    return 'ok';
  }
}
