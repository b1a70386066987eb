import { afterEach, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { ConfigModule, ConfigService, registerAs } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { trace } from '@opentelemetry/api';
import {
  Span,
  TracingConfigurationError,
  TracingModule,
  TracingService,
  type TracingModuleAsyncOptions,
  type TracingOptions,
  type TracingOptionsFactory,
} from 'nestjs-tracing';
import { platforms, startContext } from '../support/nest.js';

@Injectable()
class OrdersService {
  constructor(readonly tracing: TracingService) {}

  @Span()
  place(): void {
    trace.getTracer('app').startActiveSpan('by hand', (span) => {
      this.tracing.span('inside', () => {});
      span.end();
    });
  }
}

/** A feature of an application, which uses only the service of the library. */
@Module({ providers: [OrdersService], exports: [OrdersService] })
class OrdersModule {}

const options: TracingOptions = { serviceName: 'shop', exporter: 'memory' };

@Injectable()
class OptionsFactory implements TracingOptionsFactory {
  createTracingOptions(): TracingOptions {
    return options;
  }
}

@Injectable()
class SlowOptionsFactory implements TracingOptionsFactory {
  async createTracingOptions(): Promise<TracingOptions> {
    await new Promise((resolve) => setImmediate(resolve));
    return options;
  }
}

@Module({ providers: [SlowOptionsFactory], exports: [SlowOptionsFactory] })
class OptionsModule {}

const tracingConfig = registerAs('tracing', (): TracingOptions => options);

const shopConfig = ConfigModule.forRoot({
  ignoreEnvFile: true,
  ignoreEnvVars: true,
  isGlobal: true,
  load: [() => ({ SERVICE_NAME: 'shop' })],
});

function withTracing(
  tracing: ReturnType<typeof TracingModule.forRoot>,
  ...imports: NonNullable<typeof tracing.imports>
): Type {
  @Module({ imports: [...imports, OrdersModule, tracing] })
  class AppModule {}
  return AppModule;
}

function withAsyncTracing(asyncOptions: TracingModuleAsyncOptions): Type {
  return withTracing(TracingModule.forRootAsync(asyncOptions));
}

let app: INestApplicationContext | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function traceOf(started: INestApplicationContext) {
  started.get(OrdersService).place();
  const tracing = started.get(TracingService);
  await tracing.flush();
  return tracing.finishedSpans();
}

describe.each(platforms)('on %s', (_, start) => {
  it('sets tracing up, for decorators, the service and plain OpenTelemetry alike', async () => {
    app = await start(withTracing(TracingModule.forRoot(options)));
    const spans = await traceOf(app);
    expect(spans.map(({ name }) => name)).toEqual(['inside', 'by hand', 'OrdersService.place']);
    const [inside, byHand, place] = spans;
    expect(inside?.parentSpanContext?.spanId).toBe(byHand?.spanContext().spanId);
    expect(byHand?.parentSpanContext?.spanId).toBe(place?.spanContext().spanId);
    expect(new Set(spans.map((span) => span.resource.attributes['service.name']))).toEqual(new Set(['shop']));
  });

  it('takes options that come late', async () => {
    app = await start(withAsyncTracing({ imports: [OptionsModule], useExisting: SlowOptionsFactory }));
    const spans = await traceOf(app);
    expect(spans.map((span) => span.resource.attributes['service.name'])).toEqual(['shop', 'shop', 'shop']);
  });
});

describe('forRootAsync()', () => {
  it.each<[string, () => Type]>([
    ['a factory', () => withAsyncTracing({ useFactory: () => options })],
    ['an async factory', () => withAsyncTracing({ useFactory: () => Promise.resolve(options) })],
    [
      'a factory that injects ConfigService',
      () =>
        withTracing(
          TracingModule.forRootAsync({
            inject: [ConfigService],
            useFactory: (config: ConfigService) => ({ ...options, serviceName: config.getOrThrow('SERVICE_NAME') }),
          }),
          shopConfig,
        ),
    ],
    [
      'a factory that injects from its imports',
      () =>
        withAsyncTracing({
          imports: [OptionsModule],
          inject: [SlowOptionsFactory],
          useFactory: (factory: SlowOptionsFactory) => factory.createTracingOptions(),
        }),
    ],
    ['a class', () => withAsyncTracing({ useClass: OptionsFactory })],
    [
      'a class that is there already',
      () => withAsyncTracing({ imports: [OptionsModule], useExisting: SlowOptionsFactory }),
    ],
    ["a namespace of Nest's configuration", () => withAsyncTracing(tracingConfig.asProvider())],
  ])('takes %s', async (_, module) => {
    app = await startContext(module());
    const [span] = await traceOf(app);
    expect(span?.resource.attributes['service.name']).toBe('shop');
  });

  it.each<[string, object, unknown]>([
    ['two kinds', { useFactory: () => options, useClass: OptionsFactory }, 'useFactory and useClass'],
    ['two other kinds', { useExisting: OptionsFactory, useClass: OptionsFactory }, 'useClass and useExisting'],
    ['no kind', {}, undefined],
    ['a kind that is undefined', { useFactory: undefined }, undefined],
  ])('refuses %s', (_, given, value) => {
    const configure = () => TracingModule.forRootAsync(given);
    expect(configure).toThrow(TracingConfigurationError);
    expect(configure).toThrow(
      expect.objectContaining({ option: 'forRootAsync', value, fix: expect.stringContaining('exactly one of') }),
    );
  });
});

describe('a module of its own', () => {
  it('is global, so that TracingService is injectable without an import', async () => {
    app = await startContext(withTracing(TracingModule.forRoot(options)));
    expect(app.get(OrdersService).tracing).toBeInstanceOf(TracingService);
  });

  it('is not global with isGlobal: false', async () => {
    await expect(startContext(withTracing(TracingModule.forRoot({ ...options, isGlobal: false })))).rejects.toThrow(
      'TracingService',
    );
  });

  it.each([
    ['forRoot()', TracingModule.forRoot({ ...options, isGlobal: false })],
    ['forRootAsync()', TracingModule.forRootAsync({ useFactory: () => options, isGlobal: false })],
  ])('serves those who import it with isGlobal: false, by %s', async (_, tracing) => {
    @Module({ imports: [tracing], providers: [OrdersService] })
    class FeatureModule {}
    @Module({ imports: [tracing, FeatureModule] })
    class AppModule {}
    app = await startContext(AppModule);
    expect(await traceOf(app)).toHaveLength(3);
  });

  it('works without any option', async () => {
    // Tests create a second application from the same module like this.
    const module = withTracing(TracingModule.forRoot());
    for (const _ of ['first', 'second']) {
      app = await startContext(module);
      expect(app.get(TracingService).startSpan('work').isRecording()).toBe(true);
      await app.close();
    }
  });

  it('says how to import it where it is imported bare', async () => {
    @Module({ imports: [TracingModule] })
    class AppModule {}
    const starting = startContext(AppModule);
    await expect(starting).rejects.toThrow(TracingConfigurationError);
    await expect(starting).rejects.toThrow('Import TracingModule.forRoot() or forRootAsync()');
  });
});

describe('a wrong configuration', () => {
  it.each<[string, () => Type]>([
    ['at once', () => withTracing(TracingModule.forRoot({ exporter: 'jeager' as 'jaeger' }))],
    ['late', () => withAsyncTracing({ useFactory: () => Promise.resolve({ exporter: 'jeager' as 'jaeger' }) })],
  ])('stops the start with the option, its value and the fix: %s', async (_, module) => {
    const starting = NestFactory.create(module(), { logger: false, abortOnError: false });
    await expect(starting).rejects.toThrow(TracingConfigurationError);
    await expect(starting).rejects.toMatchObject({
      option: 'exporter',
      value: 'jeager',
      message: expect.stringMatching(/"exporter" is "jeager".*Use one of: .*jaeger/),
    });
    // The application also leaves no registration behind.
    expect(trace.getTracer('app').startSpan('afterwards').isRecording()).toBe(false);
  });

  it("passes the factory's own error on", async () => {
    const error = new Error('no such file');
    await expect(startContext(withAsyncTracing({ useFactory: () => Promise.reject(error) }))).rejects.toBe(error);
  });
});

@Injectable()
class Unused {
  constructor(@Inject('absent') readonly absent: unknown) {}
}

it('lets the errors of the application pass', async () => {
  @Module({ imports: [TracingModule.forRoot(options)], providers: [Unused] })
  class AppModule {}
  await expect(startContext(AppModule)).rejects.toThrow('absent');
});
