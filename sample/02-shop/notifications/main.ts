import { ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { notificationsTcp } from '../proto/notifications.js';
import { AppModule } from './app.module.js';

const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule, {
  inject: [ConfigService],
  useFactory: (config: ConfigService) => notificationsTcp(config.get('NOTIFICATIONS_URL', '127.0.0.1:4001')),
  logger: ['warn', 'error'],
});
app.enableShutdownHooks();
await app.listen();
console.log(`notifications listens on ${app.get(ConfigService).get('NOTIFICATIONS_URL', '127.0.0.1:4001')}`);
