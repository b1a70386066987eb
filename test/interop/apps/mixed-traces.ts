/**
 * An application that makes traces of all kinds. It then starts some more, which fail when SIGUSR2 makes it end them.
 * The durations are set, so that the application need not wait.
 */
import 'reflect-metadata';
import { once } from 'node:events';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import { TracingModule, TracingService, type TracingOptions } from 'nestjs-tracing';

interface Mix {
  readonly tracing: TracingOptions;
  readonly traces: number;
  /** Traces whose first half is exported at once, and whose second half has the error. */
  readonly late: number;
}

const { tracing, traces, late } = JSON.parse(process.argv[2]!) as Mix;
const told = once(process, 'SIGUSR2');

@Module({ imports: [TracingModule.forRoot(tracing)] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['warn', 'error'] });
const tracer = trace.getTracer('mixed-traces', '1');

for (let number = 0; number < traces; number++) {
  makeTrace(number % 20 === 0, number % 25 === 0 ? 340 : 260);
  // The queue is bounded, and this is faster than any application.
  if (number % 200 === 199) await app.get(TracingService).flush();
}
const roots = Array.from({ length: late }, () => beginTrace());
await app.get(TracingService).flush();
// A signal listener does not keep the process alive.
const alive = setInterval(() => {}, 60_000);
process.stdout.write('first halves sent\n');
await told;
clearInterval(alive);
for (const root of roots) root.setStatus({ code: SpanStatusCode.ERROR }).end();
await app.close();

/** A trace with three levels, and an error only in the innermost. */
function makeTrace(fails: boolean, milliseconds: number): void {
  const startTime = Date.now() - milliseconds;
  tracer.startActiveSpan('POST /orders', { startTime }, (root) => {
    tracer.startActiveSpan('OrdersService.place', { startTime: startTime + 1 }, (place) => {
      for (const name of ['reserve', 'charge', 'pick']) {
        const step = tracer.startSpan(name, { startTime: startTime + 2 });
        if (fails && name === 'charge') step.setStatus({ code: SpanStatusCode.ERROR });
        step.end(startTime + 50);
      }
      place.end(startTime + milliseconds - 1);
    });
    root.end(startTime + milliseconds);
  });
}

function beginTrace(): Span {
  return tracer.startActiveSpan('POST /imports', (root) => {
    tracer.startSpan('ImportsService.begin').end();
    return root;
  });
}
