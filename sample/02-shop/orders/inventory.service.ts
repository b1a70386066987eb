import type { ServiceError } from '@grpc/grpc-js';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { RpcException, type ClientGrpc } from '@nestjs/microservices';
import { TracingService } from 'nestjs-tracing';
import { catchError, firstValueFrom, lastValueFrom, tap } from 'rxjs';
import type { Inventory, Reservation } from '../proto/inventory.js';
import type { Item } from '../proto/orders.js';

export const INVENTORY_CLIENT = 'inventory client';

/** The inventory, as the orders need it. */
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
    return firstValueFrom(this.inventory.reserve({ items }).pipe(catchError(passOn)));
  }

  async pick(items: Item[]): Promise<void> {
    await this.tracing.span('pick items', (span) =>
      lastValueFrom(
        this.inventory.pick({ items }).pipe(tap(({ sku }) => span.addEvent('item picked', { 'item.sku': sku }))),
      ),
    );
  }
}

/** What the inventory says is the answer to the order as well: without this Nest would call it an internal error. */
function passOn({ code, details }: ServiceError): never {
  throw new RpcException({ code, message: details });
}
