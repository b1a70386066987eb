import type { ServiceError } from '@grpc/grpc-js';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { RpcException, type ClientGrpc } from '@nestjs/microservices';
import { TracingService } from 'nestjs-tracing';
import { catchError, firstValueFrom, lastValueFrom, tap } from 'rxjs';
import type { Inventory, Reservation } from '../proto/inventory.js';
import type { Item } from '../proto/orders.js';

export const INVENTORY_CLIENT = 'inventory client';

/** The client of the inventory service. */
@Injectable()
export class InventoryService implements OnModuleInit {
  private inventory!: Inventory;

  constructor(
    @Inject(INVENTORY_CLIENT) private readonly client: ClientGrpc,
    private readonly tracing: TracingService,
  ) {}

  onModuleInit(): void {
    this.inventory = this.client.getService<Inventory>('Inventory');
  }

  reserve(items: Item[]): Promise<Reservation> {
    return firstValueFrom(this.inventory.reserve({ items }).pipe(catchError(rethrowStatus)));
  }

  async pick(items: Item[]): Promise<void> {
    await this.tracing.span('pick items', (span) =>
      lastValueFrom(
        this.inventory.pick({ items }).pipe(tap(({ sku }) => span.addEvent('item picked', { 'item.sku': sku }))),
      ),
    );
  }
}

/** Rethrows the status of the inventory as the status of the order. Without it, Nest would respond with an internal error. */
function rethrowStatus({ code, details }: ServiceError): never {
  throw new RpcException({ code, message: details });
}
