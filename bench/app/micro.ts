import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { NestFactory } from '@nestjs/core';
import { Module } from '@nestjs/common';
import { measure } from 'mitata';
import { lastValueFrom, of, type Observable } from 'rxjs';
import type { BenchOptions, Running, Setup, WorkOrder } from './setup.js';

/** The number of calls in one sample, which is large enough that each sample includes garbage collection. */
const BATCH = 10_000;

interface Subject {
  sync(value: number): number;
  async(value: number): Promise<number>;
  observable(value: number): Observable<number>;
}

const headers = {
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  baggage: 'tenant.id=globex',
};

/** Measures single pieces of tracing in nanoseconds per call, with spans that are not exported. */
export async function start(_options: BenchOptions, setup: Setup): Promise<Running> {
  @Module({ imports: setup.imports ?? [] })
  class AppModule {}

  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  await setup.prepare?.(app);
  await app.init();
  const plain = subject(() => {});
  const traced = setup.method && subject(setup.method);
  const tracer = trace.getTracer('bench');
  const parent = trace.setSpan(ROOT_CONTEXT, tracer.startSpan('parent'));
  let sink = 0;

  const cases: Record<string, (() => unknown) | undefined> = {
    'a sync method': () => (sink += plain.sync(1)),
    'an async method': () => plain.async(1),
    'a method that returns an Observable': () => lastValueFrom(plain.observable(1)),
    'startActiveSpan() around a sync method': () =>
      tracer.startActiveSpan('Subject.sync', (span) => {
        try {
          return (sink += plain.sync(1));
        } finally {
          span.end();
        }
      }),
    'startSpan() and end()': () => tracer.startSpan('work').end(),
    '@Span() on a sync method': traced && (() => (sink += traced.sync(1))),
    '@Span() on an async method': traced && (() => traced.async(1)),
    '@Span() on a method that returns an Observable': traced && (() => lastValueFrom(traced.observable(1))),
    'propagation.inject()': () => propagation.inject(context.active(), {}),
    'propagation.extract()': () => propagation.extract(ROOT_CONTEXT, headers),
    ...setup.pieces?.(app),
  };

  async function work({ milliseconds }: WorkOrder) {
    const results: Record<string, number> = {};
    for (const [name, piece] of Object.entries(cases)) {
      if (piece) results[name] = await context.with(parent, () => timeOf(piece, milliseconds));
    }
    return results;
  }

  return { work: work as never, close: () => app.close() };
}

function subject(method: MethodDecorator): Subject {
  class Subject {
    @method
    sync(value: number) {
      return value + 1;
    }

    @method
    async async(value: number) {
      return value + 1;
    }

    @method
    observable(value: number) {
      return of(value + 1);
    }
  }
  return new Subject();
}

/** The duration of a call in nanoseconds: the median of the samples. */
async function timeOf(piece: () => unknown, milliseconds: number): Promise<number> {
  const isAsync = piece() instanceof Promise;
  const batch = isAsync
    ? async () => {
        for (let call = 0; call < BATCH; call++) await piece();
      }
    : () => {
        for (let call = 0; call < BATCH; call++) piece();
      };
  const { p50 } = await measure(batch, { min_cpu_time: milliseconds * 1e6 });
  return p50 / BATCH;
}
