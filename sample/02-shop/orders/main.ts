import { ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { ordersGrpc } from '../proto/orders.js';
import { AppModule } from './app.module.js';

const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule, {
  inject: [ConfigService],
  useFactory: (config: ConfigService) => ordersGrpc(config.get('ORDERS_URL', '127.0.0.1:50051')),
  logger: ['warn', 'error'],
});
app.enableShutdownHooks();
await app.listen();
console.log(`orders listens on ${app.get(ConfigService).get('ORDERS_URL', '127.0.0.1:50051')}`);
