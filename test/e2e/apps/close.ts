/** An application that makes a few spans and closes. Its first argument is its options in JSON. */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { trace } from '@opentelemetry/api';
import { TracingModule, type TracingOptions } from 'nestjs-tracing';

@Module({ imports: [TracingModule.forRoot(JSON.parse(process.argv[2] ?? '{}') as TracingOptions)] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['warn', 'error'] });
for (let i = 0; i < 50; i++) trace.getTracer('app').startSpan('work').end();
const before = performance.now();
await app.close();
process.stdout.write(`closed in ${Math.round(performance.now() - before)} ms\n`);
const closed = performance.now();
process.on('exit', () => process.stdout.write(`lived for ${Math.round(performance.now() - closed)} ms\n`));
