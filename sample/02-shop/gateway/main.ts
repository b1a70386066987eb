import { ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule, { logger: ['warn', 'error'] });
app.enableShutdownHooks();
const config = app.get(ConfigService);
await app.listen(config.get<number>('PORT', 3000), config.get<string>('HOST', '127.0.0.1'));
console.log(`gateway listens on ${await app.getUrl()}`);
