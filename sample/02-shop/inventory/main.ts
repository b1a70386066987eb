import { ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { inventoryGrpc } from '../proto/inventory.js';
import { AppModule } from './app.module.js';

const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule, {
  inject: [ConfigService],
  useFactory: (config: ConfigService) => inventoryGrpc(config.get('INVENTORY_URL', '127.0.0.1:50052')),
  logger: ['warn', 'error'],
});
app.enableShutdownHooks();
await app.listen();
console.log(`inventory listens on ${app.get(ConfigService).get('INVENTORY_URL', '127.0.0.1:50052')}`);
