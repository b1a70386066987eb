import { Inject, Module, type NestModule } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Span, TracingModule, TracingService, type TracingOptions } from 'nestjs-tracing';
import type { BenchOptions, Setup } from '../setup.js';

/** nestjs-tracing as in its README, with the options of the set-up. */
export default function ours({
  enabled,
  endpoint,
  keep,
  metrics,
  noExport,
  queue,
  ratio,
  serverSpanOnly,
}: BenchOptions): Setup {
  const options: TracingOptions = {
    serviceName: 'bench',
    exporter: noExport ? 'none' : { type: 'otlp', endpoint },
    ...(queue !== undefined && { batch: { maxQueueSize: queue } }),
    ...(ratio !== undefined && { sampler: { ratio, ...(keep && { keep }) } }),
    ...(enabled !== undefined && { enabled }),
    ...(metrics && { metrics: { path: '/metrics' } }),
  };
  let tracing: TracingService | undefined;
  return {
    imports: [TracingModule.forRoot(options), ...(serverSpanOnly ? [WithoutHandlerSpan] : [])],
    ...(!serverSpanOnly && { method: Span() as MethodDecorator }),
    prepare(app) {
      tracing = app.get(TracingService, { strict: false });
    },
    pieces() {
      const carrier = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
      const service = tracing as TracingService;
      return {
        'TracingService.span()': () => service.span('work', () => 1),
        'TracingService.startSpan() and end()': () => service.startSpan('work').end(),
        'TracingService.inject()': () => service.inject({}),
        'TracingService.extract()': () => service.extract(carrier),
      };
    },
    async flush() {
      if (enabled !== false) await tracing?.flush();
    },
  };
}

/** Removes the span of the handler, to measure its cost. The library has no option for this, because users need the span. */
@Module({})
class WithoutHandlerSpan implements NestModule {
  constructor(@Inject(ModulesContainer) private readonly modules: ModulesContainer) {}

  // Nest calls it after the library has instrumented the handlers, and before a request comes.
  configure(): void {
    let isRemoved = false;
    for (const { controllers } of this.modules.values()) {
      for (const { instance } of controllers.values()) {
        const handler = (instance as { one?: object }).one;
        if (!handler || !Object.hasOwn(handler, 'apply')) continue;
        isRemoved = Reflect.deleteProperty(handler, 'apply');
      }
    }
    if (!isRemoved) throw new Error('The function that makes the handler span was not found.');
  }
}
