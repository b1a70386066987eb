/** An application that ends many spans at once and closes. It reports the time that each took. */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { trace } from '@opentelemetry/api';
import { TracingModule, type TracingOptions } from 'nestjs-tracing';

interface Burst {
  readonly tracing: TracingOptions;
  readonly traces: number;
  readonly spansOfTrace: number;
  /** The number of characters of an attribute of one span in the middle. */
  readonly oversized?: number;
  /** The number of characters of an attribute of every span. @default 4 */
  readonly text?: number;
}

const { tracing, traces, spansOfTrace, oversized, text = 4 } = JSON.parse(process.argv[2]!) as Burst;

@Module({ imports: [TracingModule.forRoot(tracing)] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['warn', 'error'] });
const tracer = trace.getTracer('burst', '1');
const traceIds: string[] = [];
const before = performance.now();
for (let number = 0; number < traces; number++) {
  tracer.startActiveSpan('POST /orders', { attributes: { 'order.number': number } }, (root) => {
    traceIds.push(root.spanContext().traceId);
    for (let child = 1; child < spansOfTrace; child++) {
      const span = tracer.startSpan('OrdersService.place', {
        attributes: {
          'order.number': number,
          'code.function.name': 'OrdersService.place',
          'item.text': 'x'.repeat(text),
        },
      });
      if (oversized && number === traces / 2 && child === 1) span.setAttribute('oversized', 'x'.repeat(oversized));
      span.end();
    }
    root.end();
  });
}
const made = performance.now();
await app.close();
const closed = performance.now();
const report = { traceIds, making: Math.round(made - before), closing: Math.round(closed - made) };
process.stdout.write(`${JSON.stringify(report)}\n`);
