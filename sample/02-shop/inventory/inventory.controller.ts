import { Controller } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { Baggage, TracingService } from 'nestjs-tracing';
import { concatMap, from, type Observable } from 'rxjs';
import type { ItemList, PickedItem, Reservation } from '../proto/inventory.js';
import { StockService } from './stock.service.js';

@Controller()
export class InventoryController {
  constructor(
    private readonly stock: StockService,
    private readonly tracing: TracingService,
  ) {}

  /** The tenant comes from the gateway, although no message has a field for it. */
  @GrpcMethod('Inventory')
  async reserve(@Payload() { items }: ItemList, @Baggage('tenant.id') tenant?: string): Promise<Reservation> {
    this.tracing.setAttributes({ 'tenant.id': tenant });
    return { pieces: await this.stock.reserve(items) };
  }

  @GrpcMethod('Inventory')
  pick(@Payload() { items }: ItemList, @Baggage('tenant.id') tenant?: string): Observable<PickedItem> {
    this.tracing.setAttributes({ 'tenant.id': tenant });
    return from(items).pipe(concatMap((item) => this.stock.pick(item)));
  }
}
