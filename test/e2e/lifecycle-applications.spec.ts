import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Injectable, Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { context, trace } from '@opentelemetry/api';
import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { TracingModule, TracingService, type TracingOptions } from 'nestjs-tracing';
import { platforms, startContext, Warnings } from '../support/nest.js';

const tracer = trace.getTracer('library');
const warnings = new Warnings();
const apps: INestApplicationContext[] = [];

let ahead = 0;
beforeEach(() => {
  // The same thing is said once a minute: for each test to hear it, more than that has to go by in between.
  ahead += 120_000;
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
  warnings.take();
});

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  jest.restoreAllMocks();
  trace.disable();
  context.disable();
});

class Exporter extends InMemorySpanExporter {
  get names(): string[] {
    return this.getFinishedSpans().map((span) => `${String(span.resource.attributes['service.name'])}: ${span.name}`);
  }
}

function application(options: TracingOptions, ...providers: Type[]): Type {
  @Module({ imports: [TracingModule.forRoot(options)], providers })
  class AppModule {}
  return AppModule;
}

async function start(module: Type): Promise<INestApplicationContext> {
  const app = await startContext(module, warnings);
  apps.push(app);
  return app;
}

describe('applications one after the other', () => {
  it('each have their own exporter and service name', async () => {
    for (const name of ['first', 'second']) {
      const exporter = new Exporter();
      const app = await startContext(application({ serviceName: name, exporter }), warnings);
      tracer.startSpan('work').end();
      const flushed = exporter.names;
      await app.close();
      expect(flushed).toEqual([`${name}: work`]);
      expect(tracer.startSpan('afterwards').isRecording()).toBe(false);
    }
    expect(warnings.messages).toEqual([]);
  });
});

describe('applications at the same time', () => {
  it('share the provider of the first, are told so, and close it with the last', async () => {
    const [exporter, unused] = [new Exporter(), new Exporter()];
    const first = await start(application({ serviceName: 'first', exporter }));
    expect(warnings.messages).toEqual([]);
    const second = await start(application({ serviceName: 'second', exporter: unused }));
    expect(warnings.take()).toEqual([expect.stringMatching(/one tracer provider per process.*service name/)]);
    tracer.startSpan('of both').end();
    await first.close();
    tracer.startSpan('of the second').end();
    expect(exporter.names).toEqual(['first: of both', 'first: of the second']);
    expect(unused.names).toEqual([]);
    await second.close();
    expect(tracer.startSpan('afterwards').isRecording()).toBe(false);
  });

  it('share one as well when they are created in parallel, and lose no span', async () => {
    const exporter = new Exporter();
    const create = (name: string) => {
      @Injectable()
      class Work {
        constructor() {
          tracer.startSpan(`early, ${name}`).end();
        }
      }
      return application({ serviceName: name, exporter }, Work);
    };
    const [first, second] = await Promise.all([start(create('first')), start(create('second'))]);
    tracer.startSpan('late').end();
    expect(warnings.messages).toEqual([expect.stringContaining('one tracer provider per process')]);
    expect(
      exporter
        .getFinishedSpans()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['early, first', 'early, second', 'late']);
    expect(new Set(exporter.getFinishedSpans().map((span) => span.resource.attributes['service.name'])).size).toBe(1);
    await first.close();
    expect(tracer.startSpan('still there').isRecording()).toBe(true);
    await second.close();
    expect(tracer.startSpan('afterwards').isRecording()).toBe(false);
  });

  it('share one when both are created before either is initialised', async () => {
    const [one, two] = [new Exporter(), new Exporter()];
    const quiet = { logger: warnings, abortOnError: false } as const;
    const first = await NestFactory.create(application({ serviceName: 'first', exporter: one }), quiet);
    const second = await NestFactory.create(application({ serviceName: 'second', exporter: two }), quiet);
    apps.push(first, second);
    await first.init();
    await second.init();
    tracer.startSpan('work').end();
    expect(two.names).toEqual(['second: work']);
    expect(warnings.messages).toEqual([expect.stringContaining('one tracer provider per process')]);
  });
});

describe('an application that fails to start', () => {
  const broken = () => {
    throw new Error('no database');
  };

  @Injectable()
  class BreaksWhenMade {
    constructor() {
      tracer.startSpan('of the broken one').end();
      broken();
    }
  }
  @Injectable()
  class BreaksOnInit {
    onModuleInit(): void {
      tracer.startSpan('of the broken one').end();
      broken();
    }
  }
  @Injectable()
  class BreaksOnInitLate {
    async onModuleInit(): Promise<void> {
      await new Promise((resolve) => setImmediate(resolve));
      tracer.startSpan('of the broken one').end();
      broken();
    }
  }

  it.each([
    ['while it is made', BreaksWhenMade],
    ['on init', BreaksOnInit],
    ['on init, after a while', BreaksOnInitLate],
  ])('%s, leaves nothing that disturbs the next', async (_, Broken) => {
    for (const serviceName of ['broken', 'broken again']) {
      const failing = start(application({ serviceName, exporter: new Exporter() }, Broken));
      await expect(failing).rejects.toThrow('no database');
    }
    const exporter = new Exporter();
    const app = await start(application({ serviceName: 'next', exporter }));
    tracer.startSpan('work').end();
    expect(exporter.names).toEqual(['next: work']);
    await app.close();
    expect(tracer.startSpan('afterwards').isRecording()).toBe(false);
    expect(warnings.messages).toEqual([]);
  });

  it('with a wrong configuration, leaves nothing that disturbs the next', async () => {
    await expect(start(application({ serviceName: '' }))).rejects.toThrow('serviceName');
    const exporter = new Exporter();
    await start(application({ serviceName: 'next', exporter }));
    tracer.startSpan('work').end();
    expect(exporter.names).toEqual(['next: work']);
  });
});

@Controller()
class HelloController {
  @Get('hello')
  hello(): string {
    return 'hello';
  }
}

it.each(platforms.slice(0, 2))('traces a request once where the module is configured twice: %s', async (_, create) => {
  const [one, two] = [new Exporter(), new Exporter()];
  @Module({ imports: [TracingModule.forRoot({ serviceName: 'feature', exporter: one, http: { client: false } })] })
  class FeatureModule {}
  @Module({
    imports: [TracingModule.forRoot({ serviceName: 'root', exporter: two, http: { client: false } }), FeatureModule],
    controllers: [HelloController],
  })
  class AppModule {}
  const app = (await create(AppModule)) as INestApplicationContext & { getUrl(): Promise<string> };
  apps.push(app);
  await (await fetch(`${await app.getUrl()}/hello`)).text();
  await app.get(TracingService).flush();
  const spans = [...one.names, ...two.names];
  expect(spans).toHaveLength(2);
  expect(spans.map((span) => span.split(': ')[1])).toEqual(['HelloController.hello', 'GET /hello']);
});

it('says that the module is configured twice', async () => {
  @Module({ imports: [TracingModule.forRoot({ exporter: 'none' })] })
  class FeatureModule {}
  @Module({ imports: [TracingModule.forRoot({ exporter: 'none' }), FeatureModule] })
  class AppModule {}
  await start(AppModule);
  expect(warnings.messages).toEqual([expect.stringMatching(/more than once.*once, in the root module/)]);
});

describe('a tracer provider that is there already', () => {
  it('is used and left running, and options it makes useless are named', async () => {
    const [exporter, unused] = [new Exporter(), new Exporter()];
    const provider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter })] });
    trace.setGlobalTracerProvider(provider);
    const shutdown = jest.spyOn(provider, 'shutdown');

    @Injectable()
    class Work {
      constructor() {
        trace.getTracer('app').startSpan('early').end();
      }
    }
    const options: TracingOptions = { serviceName: 'shop', exporter: unused, shutdown: { timeout: 1000 } };
    const app = await start(application(options, Work));
    expect(warnings.take()).toEqual([expect.stringMatching(/registered already.*: exporter, serviceName\./)]);

    const tracing = app.get(TracingService);
    tracing.span('outer', () => trace.getTracer('app').startSpan('inner').end());
    await tracing.flush();
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['early', 'inner', 'outer']);
    const [, inner, outer] = exporter.getFinishedSpans();
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);

    await app.close();
    expect(shutdown).not.toHaveBeenCalled();
    trace.getTracer('app').startSpan('afterwards').end();
    await provider.forceFlush();
    expect(exporter.getFinishedSpans()).toHaveLength(4);
    expect(unused.names).toEqual([]);
    await provider.shutdown();
  });

  it('is used in silence where no option would shape it', async () => {
    const exporter = new Exporter();
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
    await start(application({ http: { ignore: '/health' } }));
    expect(warnings.messages).toEqual([]);
  });

  it('is used by a tracer that was taken in an earlier application', async () => {
    await (await startContext(application({ exporter: 'memory' }))).close();
    const exporter = new Exporter();
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
    await start(application({}));
    tracer.startSpan('work').end();
    expect(exporter.getFinishedSpans()).toHaveLength(1);
  });
});

describe('another version of @opentelemetry/api', () => {
  const key = Symbol.for('opentelemetry.js.api.1');
  const globals = globalThis as { [key]?: object };

  it.each(['1.4.0', '1.99.0'])('%s keeps its place, and the application runs untraced', async (version) => {
    // What a newer version has registered could be used from here; with nothing registered it is only in the way.
    const theirs = version === '1.4.0' ? { version, trace: {}, context: {}, propagation: {} } : { version };
    const before = { ...theirs };
    globals[key] = theirs;
    try {
      const app = await start(application({ exporter: 'memory' }));
      expect(warnings.take()).toEqual([expect.stringMatching(/two versions.*npm ls @opentelemetry\/api/)]);
      const tracing = app.get(TracingService);
      expect(tracing.span('work', () => 'done')).toBe('done');
      expect(tracing.finishedSpans()).toEqual([]);
      await app.close();
      expect(theirs).toEqual(before);
    } finally {
      Reflect.deleteProperty(globals, key);
    }
  });
});
