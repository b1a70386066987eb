import { ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule, { logger: ['warn', 'error'] });
app.enableShutdownHooks();
await app.listen(app.get(ConfigService).get('PORT', 3000), '127.0.0.1');
console.log(`gateway listens on ${await app.getUrl()}`);
