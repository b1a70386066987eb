import { setTimeout as work } from 'node:timers/promises';
import { BadGatewayException, Injectable } from '@nestjs/common';
import { Span } from 'nestjs-tracing';

@Injectable()
export class PaymentsService {
  @Span((_orderId: string, amount: number) => ({ 'payment.amount': amount }))
  async charge(orderId: string, _amount: number): Promise<void> {
    await work(12);
    if (orderId === 'declined') throw new BadGatewayException('The payment provider declined the card');
  }
}
