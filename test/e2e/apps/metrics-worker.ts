/** An application without a server, whose metrics are on their own port. It does its work and does not close. */
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TracingModule } from 'nestjs-tracing';

const port = Number(process.argv[2]);

@Module({ imports: [TracingModule.forRoot({ serviceName: 'worker', exporter: 'none', metrics: { port } })] })
class AppModule {}

await NestFactory.createApplicationContext(AppModule, { logger: ['warn', 'error'] });
const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close' } });
await response.text();
process.stdout.write(`scraped ${response.status}\n`);
