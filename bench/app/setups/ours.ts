import { Inject, Module, type NestModule } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Span, TracingModule, TracingService, type TracingOptions } from 'nestjs-tracing';
import type { BenchOptions, Setup } from '../setup.js';

/** nestjs-tracing, with what its README shows and the options that the set-up is about. */
export default function ours({
  enabled,
  endpoint,
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
    ...(ratio !== undefined && { sampler: { ratio } }),
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

/** There is no option for it: nobody wants to miss this span, but its price is to be known. */
@Module({})
class WithoutHandlerSpan implements NestModule {
  constructor(@Inject(ModulesContainer) private readonly modules: ModulesContainer) {}

  // Called after the library has given the controllers methods of their own, and before Nest asks for them.
  configure(): void {
    let found = false;
    for (const { controllers } of this.modules.values()) {
      for (const { instance } of controllers.values()) {
        if (!Object.hasOwn(instance, 'one')) continue;
        Reflect.deleteProperty(instance, 'one');
        found = true;
      }
    }
    if (!found) throw new Error('The method that makes the handler span was not found.');
  }
}
