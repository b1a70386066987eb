import { Body, Controller, Get, Inject, Param, Post, UseGuards, type OnModuleInit } from '@nestjs/common';
import type { ClientGrpc } from '@nestjs/microservices';
import { catchError, type Observable } from 'rxjs';
import type { NewOrder, Order, Orders } from '../proto/orders.js';
import { throwHttpException } from './grpc-errors.js';
import { NewOrderPipe } from './new-order.pipe.js';
import { TenantGuard } from './tenant.guard.js';

export const ORDERS_CLIENT = 'orders client';

@Controller('orders')
@UseGuards(TenantGuard)
export class OrdersController implements OnModuleInit {
  private orders!: Orders;

  constructor(@Inject(ORDERS_CLIENT) private readonly client: ClientGrpc) {}

  onModuleInit(): void {
    this.orders = this.client.getService<Orders>('Orders');
  }

  @Post()
  place(@Body(NewOrderPipe) order: NewOrder): Observable<Order> {
    return this.orders.place(order).pipe(catchError(throwHttpException));
  }

  @Get(':id')
  one(@Param('id') id: string): Observable<Order> {
    return this.orders.get({ id }).pipe(catchError(throwHttpException));
  }
}
