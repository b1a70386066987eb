import KeyvRedis from '@keyv/redis';
import { CacheModule } from '@nestjs/cache-manager';
import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { ClientsModule } from '@nestjs/microservices';
import { TracingModule } from 'nestjs-tracing';
import { inventoryGrpc } from '../proto/inventory.js';
import { notificationsTcp } from '../proto/notifications.js';
import { Database } from './database.js';
import { INVENTORY_CLIENT, InventoryService } from './inventory.service.js';
import { NOTIFICATIONS_CLIENT, OrderEvents } from './order-events.js';
import { OrdersController } from './orders.controller.js';
import { OrdersRepository } from './orders.repository.js';
import { OrdersService } from './orders.service.js';
import { PaymentsService } from './payments.service.js';
import { PricingService } from './pricing.service.js';

@Module({
  imports: [
    TracingModule.forRootAsync({
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        serviceName: config.get('SERVICE_NAME', 'orders'),
        metrics: { port: config.get<number>('METRICS_PORT', 9464) },
      }),
    }),
    ConfigModule.forRoot({ isGlobal: true }),
    CacheModule.registerAsync({
      inject: [ConfigService],
      useFactory: (config: ConfigService) => {
        const redis = config.get<string>('REDIS_URL');
        return { ttl: 60_000, stores: redis ? [new KeyvRedis(redis)] : [] };
      },
    }),
    ClientsModule.registerAsync([
      {
        name: INVENTORY_CLIENT,
        inject: [ConfigService],
        useFactory: (config: ConfigService) => inventoryGrpc(config.get('INVENTORY_URL', '127.0.0.1:50052')),
      },
      {
        name: NOTIFICATIONS_CLIENT,
        inject: [ConfigService],
        useFactory: (config: ConfigService) => notificationsTcp(config.get('NOTIFICATIONS_URL', '127.0.0.1:4001')),
      },
    ]),
  ],
  controllers: [OrdersController],
  providers: [
    Database,
    OrderEvents,
    OrdersRepository,
    OrdersService,
    PricingService,
    InventoryService,
    PaymentsService,
  ],
})
export class AppModule {}
