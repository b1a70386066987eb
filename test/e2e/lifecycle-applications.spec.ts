import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Injectable, Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import { Server, Transport, type CustomTransportStrategy, type MicroserviceOptions } from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { context, trace } from '@opentelemetry/api';
import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { TracingModule, TracingService, type TracingOptions } from 'nestjs-tracing';
import { platforms, startContext, Warnings } from '../support/nest.js';
import { waitFor } from '../support/wait-for.js';

const tracer = trace.getTracer('library');
const warnings = new Warnings();
const apps: INestApplicationContext[] = [];

let ahead = 0;
beforeEach(() => {
  // The same warning is written once a minute. More time has to pass between two tests, so that each test gets it.
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

/** A custom transport of the application that cannot connect. */
class UnreachableBroker extends Server implements CustomTransportStrategy {
  listen(callback: (error: unknown) => void): void {
    setImmediate(callback, new Error('no broker'));
  }
  close(): void {}
  on(): void {}
  unwrap<T>(): T {
    throw new Error('nothing to unwrap');
  }
}

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

  @Injectable()
  class BreaksOnBootstrap {
    onApplicationBootstrap(): void {
      tracer.startSpan('of the broken one').end();
      broken();
    }
  }
  @Injectable()
  class BreaksOnBootstrapLate {
    async onApplicationBootstrap(): Promise<void> {
      await new Promise((resolve) => setImmediate(resolve));
      tracer.startSpan('of the broken one').end();
      broken();
    }
  }

  it.each([
    ['while it is made', BreaksWhenMade],
    ['on init', BreaksOnInit],
    ['on init, after a while', BreaksOnInitLate],
    ['on bootstrap', BreaksOnBootstrap],
    ['on bootstrap, after a while', BreaksOnBootstrapLate],
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

  /** Starts an application that fails because its port is in use. */
  type FailingStart = (module: Type, port: number) => Promise<INestApplicationContext>;
  const quiet = { logger: warnings, abortOnError: false } as const;
  const overHttp =
    (adapter: () => AbstractHttpAdapter): FailingStart =>
    async (module, port) => {
      const app = await NestFactory.create(module, adapter(), quiet);
      await expect(app.listen(port, '127.0.0.1')).rejects.toMatchObject({ code: 'EADDRINUSE' });
      return app;
    };
  const microservice =
    (options: (port: number) => MicroserviceOptions): FailingStart =>
    async (module, port) => {
      const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, { ...options(port), ...quiet });
      await expect(app.listen()).rejects.toBeDefined();
      return app;
    };
  const tcp = (port: number): MicroserviceOptions => ({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port },
  });
  const grpc = (port: number): MicroserviceOptions => ({
    transport: Transport.GRPC,
    options: { url: `127.0.0.1:${port}`, package: 'echo', protoPath: 'test/support/echo.proto' },
  });
  const hybrid: FailingStart = async (module, port) => {
    const app = await NestFactory.create(module, quiet);
    app.connectMicroservice(tcp(port));
    await app.init();
    await expect(app.startAllMicroservices()).rejects.toBeDefined();
    return app;
  };

  it.each<[string, FailingStart]>([
    ['Express', overHttp(() => new ExpressAdapter())],
    ['Fastify', overHttp(() => new FastifyAdapter())],
    ['TCP', microservice(tcp)],
    ['gRPC', microservice(grpc)],
    ['an unreachable broker', microservice(() => ({ strategy: new UnreachableBroker() }))],
    ['TCP beside HTTP', hybrid],
  ])('because its port is taken, leaves nothing that disturbs the next: %s', async (_, fail) => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const listeners = process.listenerCount('SIGTERM');
    const failed: [INestApplicationContext, Exporter][] = [];
    for (const serviceName of ['failed', 'failed again']) {
      const exporter = new Exporter();
      const shutdown = jest.spyOn(exporter, 'shutdown');
      const options: TracingOptions = { serviceName, exporter, shutdown: { onProcessExit: true } };
      failed.push([await fail(application(options), port), exporter]);
      tracer.startSpan('after the failure').end();
      expect(exporter.names).toEqual([`${serviceName}: after the failure`]);
      expect(shutdown).not.toHaveBeenCalled();
    }
    const exporter = new Exporter();
    const app = await start(application({ serviceName: 'next', exporter }));
    tracer.startSpan('work').end();
    expect(exporter.names).toEqual(['next: work']);
    expect(process.listenerCount('SIGTERM')).toBe(listeners);
    // The providers of the failed applications are shut down by then, although no application was closed.
    const isOnceEach = (counts: number[]) => counts.join() === '1,1';
    const shutdowns = () => failed.map(([, { shutdown }]) => jest.mocked(shutdown).mock.calls.length);
    await waitFor({ expected: 'one shutdown of each exporter', look: shutdowns, isExpected: isOnceEach });
    for (const [other] of failed) await other.close();
    tracer.startSpan('still there').end();
    expect(exporter.names).toEqual(['next: work', 'next: still there']);
    await app.close();
    expect(tracer.startSpan('afterwards').isRecording()).toBe(false);
    expect(warnings.messages).toEqual([]);
    await new Promise((resolve) => taken.close(resolve));
  });

  it('on one port, is up on another', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const exporter = new Exporter();
    const app = await NestFactory.create(application({ serviceName: 'first', exporter }), quiet);
    apps.push(app);
    const { port } = taken.address() as AddressInfo;
    await expect(app.listen(port, '127.0.0.1')).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await app.listen(0, '127.0.0.1');
    await start(application({ serviceName: 'second', exporter: new Exporter() }));
    tracer.startSpan('of both').end();
    expect(exporter.names).toEqual(['first: of both']);
    expect(warnings.take()).toEqual([expect.stringContaining('one tracer provider per process')]);
    await new Promise((resolve) => taken.close(resolve));
  });

  it('on the port of its microservice, is up where its HTTP server listens', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const exporter = new Exporter();
    const app = await NestFactory.create(application({ serviceName: 'first', exporter }), quiet);
    apps.push(app);
    app.connectMicroservice(tcp((taken.address() as AddressInfo).port));
    await app.listen(0, '127.0.0.1');
    await expect(app.startAllMicroservices()).rejects.toBeDefined();
    await start(application({ serviceName: 'second', exporter: new Exporter() }));
    tracer.startSpan('of both').end();
    expect(exporter.names).toEqual(['first: of both']);
    await new Promise((resolve) => taken.close(resolve));
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
    expect(warnings.take()).toEqual([expect.stringMatching(/registered already.*: serviceName, exporter\./)]);

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
    tracer.startSpan('work').end();
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['work']);
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
    // The newer version has no registrations, because they could be used from here. Its object only blocks the place.
    const theirs = version === '1.4.0' ? { version, trace: {}, context: {}, propagation: {} } : { version };
    const before = { ...theirs };
    globals[key] = theirs;
    try {
      const app = await start(application({ exporter: 'memory' }));
      expect(warnings.take()).toEqual([expect.stringMatching(/two versions.*npm ls @opentelemetry\/api/)]);
      const tracing = app.get(TracingService);
      expect(tracing.span('work', (span) => span.isRecording())).toBe(false);
      expect(tracing.finishedSpans()).toEqual([]);
      await app.close();
      expect(theirs).toEqual(before);
    } finally {
      Reflect.deleteProperty(globals, key);
    }
  });
});
