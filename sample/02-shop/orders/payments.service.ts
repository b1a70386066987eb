import { status } from '@grpc/grpc-js';
import { Injectable } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { RpcException } from '@nestjs/microservices';
import { Span, Timed } from 'nestjs-tracing';

/** The client of the payment provider, an HTTP service of another company. */
@Injectable()
export class PaymentsService {
  private readonly url: string;

  constructor(config: ConfigService) {
    this.url = config.get('PAYMENTS_URL', 'http://127.0.0.1:4000');
  }

  @Span((_card: string, amount: number) => ({ 'payment.amount': amount }))
  @Timed()
  async charge(card: string, amount: number): Promise<void> {
    const response = await fetch(`${this.url}/charges`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ card, amount }),
    });
    const reason = await response.text();
    if (response.status === 402) throw new RpcException({ code: status.FAILED_PRECONDITION, message: reason });
    if (!response.ok)
      throw new RpcException({ code: status.UNAVAILABLE, message: 'The payment provider is in trouble' });
  }
}
