import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { Global, Injectable, Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { trace, type Span } from '@opentelemetry/api';
import { TracingModule, TracingService, type SpanExporter, type TracingOptions } from 'nestjs-tracing';
import { startContext, Warnings } from '../support/nest.js';
import { unhandledRejections } from '../support/unhandled-rejections.js';

type Export = Parameters<SpanExporter['export']>;

/** An exporter that gets spans in batches, like an exporter to a backend. */
class Backend implements SpanExporter {
  readonly names: string[] = [];
  exports = 0;
  isShutDown = false;

  export(spans: Export[0], done: Export[1]): void {
    this.exports++;
    this.names.push(...spans.map(({ name }) => name));
    done({ code: 0 });
  }

  shutdown(): Promise<void> {
    this.isShutDown = true;
    return Promise.resolve();
  }
}

/** An exporter that gets each span when it ends, and answers some time later. */
function keepingLate(): Partial<SpanExporter> & { getFinishedSpans(): never[] } {
  return { getFinishedSpans: () => [], export: (_, done) => void setTimeout(done, 20, { code: 0 }) };
}

/** Records the time of each call of an exporter. */
function recordCalls(exporter: Backend, calls: string[]): Backend {
  const { export: send, shutdown } = exporter;
  exporter.export = (...args) => {
    calls.push('export');
    return send.apply(exporter, args);
  };
  exporter.shutdown = () => {
    calls.push('shutdown');
    return shutdown.call(exporter);
  };
  return exporter;
}

/** A time limit for exporters, in milliseconds. */
const LIMIT = 100;
/** A timer of Node may fire this much too early, in milliseconds. */
const TIMER_PRECISION = 2;

const HOOKS = ['onModuleDestroy', 'beforeApplicationShutdown', 'onApplicationShutdown'] as const;

/** Traces something in each of Nest's shutdown hooks, some time after the hook was called. */
function hooked(name: string, failsIn?: string): Type {
  class Hooked {
    readonly name = name;
  }
  for (const hook of HOOKS) {
    const value = async () => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      trace.getTracer('app').startSpan(`${name}.${hook}`).end();
      if (hook === failsIn) throw new Error(`${name}.${hook}`);
    };
    Object.defineProperty(Hooked.prototype, hook, { value });
  }
  return Hooked;
}

function feature(name: string, failsIn?: string): Type {
  const Provider = hooked(`${name} provider`, failsIn);
  Injectable()(Provider);
  const Feature = hooked(`${name} module`, failsIn);
  Module({ providers: [Provider] })(Feature);
  return Feature;
}

function globalFeature(name: string): Type {
  const Feature = feature(name);
  Global()(Feature);
  return Feature;
}

function application(options: TracingOptions, before: Type[] = [], after: Type[] = []): Type {
  @Module({ imports: [...before, TracingModule.forRoot(options), ...after] })
  class AppModule {}
  return AppModule;
}

describe('app.close()', () => {
  it.each<[string, string | undefined]>([
    ['', undefined],
    [', even if some fail in onModuleDestroy', 'onModuleDestroy'],
    [', even if some fail in beforeApplicationShutdown', 'beforeApplicationShutdown'],
    [', even if some fail in onApplicationShutdown', 'onApplicationShutdown'],
  ])(
    'exports what other modules trace in their shutdown hooks, whatever the order of imports%s',
    async (_, failsIn) => {
      const exporter = new Backend();
      const before = [feature('before'), globalFeature('global before'), feature('failing before', failsIn)];
      const after = [feature('after'), globalFeature('global after'), feature('failing after', failsIn)];
      const app = await startContext(application({ exporter }, before, after));
      await app.close();
      const modules = ['before', 'global before', 'failing before', 'after', 'global after', 'failing after'];
      const expected = modules.flatMap((module) =>
        HOOKS.flatMap((hook) => [`${module} module.${hook}`, `${module} provider.${hook}`]),
      );
      expect(exporter.names.toSorted()).toEqual(expected.toSorted());
      expect(exporter.isShutDown).toBe(true);
    },
  );

  it('exports what the root module traces last', async () => {
    const exporter = new Backend();
    const AppModule = hooked('root');
    Module({ imports: [TracingModule.forRoot({ exporter })] })(AppModule);
    await (await startContext(AppModule)).close();
    expect(exporter.names).toEqual(HOOKS.map((hook) => `root.${hook}`));
  });

  it('exports what is traced while the HTTP server finishes', async () => {
    const exporter = new Backend();
    const module = application({ exporter, http: { client: false } });
    const app = await NestFactory.create(module, { logger: false, abortOnError: false });
    await app.listen(0, '127.0.0.1');
    expect((await fetch(await app.getUrl(), { headers: { connection: 'close' } })).status).toBe(404);
    await app.close();
    expect(exporter.names).toEqual(['GET']);
  });

  const never = () => new Promise<void>(() => {});
  const reject = () => Promise.reject(new Error('no'));
  const fail = (): never => {
    throw new Error('no');
  };
  it.each<[string, Partial<SpanExporter>, hangs: boolean]>([
    ['never answers an export', { export() {} }, true],
    ['never answers a shutdown', { shutdown: never }, true],
    ['never answers at all', { export() {}, shutdown: never, forceFlush: never }, true],
    ['fails to export', { export: (_, done) => done({ code: 1, error: new Error('no') }) }, false],
    ['throws at an export', { export: fail }, false],
    ['fails to shut down', { shutdown: reject, forceFlush: reject }, false],
    ['throws at a shutdown', { shutdown: fail, forceFlush: fail }, false],
  ])('keeps to its time limit with an exporter that %s, and does not reject', async (_, behaviour, hangs) => {
    const calls: string[] = [];
    const exporter = recordCalls(Object.assign(new Backend(), behaviour), calls);
    const app = await startContext(application({ exporter, shutdown: { timeout: LIMIT } }));
    trace.getTracer('app').startSpan('work').end();
    const before = performance.now();
    await expect(app.close()).resolves.toBeUndefined();
    const waited = performance.now() - before;
    expect(calls).toEqual(['export', 'shutdown']);
    expect(waited >= LIMIT - TIMER_PRECISION).toBe(hangs);
    expect(waited).toBeLessThan(1000);
  });

  it('waits for an exporter that is slow, within the limit', async () => {
    const exporter = new Backend();
    const immediately = exporter.export.bind(exporter);
    exporter.export = (...args) => void setTimeout(immediately, 150, ...args);
    const app = await startContext(application({ exporter }));
    trace.getTracer('app').startSpan('work').end();
    await app.close();
    expect(exporter.names).toEqual(['work']);
  });

  const spoiled = (span: Span) => span.updateName(undefined as never);
  it.each<[string, Partial<SpanExporter>, ((span: Span) => unknown)?]>([
    ['answers', {}],
    ['answers later', { export: (_, done) => void setTimeout(done, 20, { code: 0 }) }],
    ['never answers an export', { export() {} }],
    ['never answers a flush', { forceFlush: never }],
    ['fails to export', { export: (_, done) => done({ code: 1 }) }],
    ['throws at an export', { export: fail }],
    ['rejects an export', { export: reject }],
    ['calls back with nothing', { export: (_, done) => done(undefined as never) }],
    ['keeps spans', { getFinishedSpans: () => [] } as Partial<SpanExporter>],
    ['keeps spans and answers later', keepingLate()],
    ['gets a span that the application has spoiled', {}, spoiled],
  ])('shuts an exporter down once that %s, after its last export', async (_, behaviour, work = () => {}) => {
    const exporters = [new Backend(), new Backend()].map((exporter) => Object.assign(exporter, behaviour));
    const callsOf = exporters.map((exporter) => {
      const calls: string[] = [];
      recordCalls(exporter, calls);
      return calls;
    });
    const options: TracingOptions = { exporter: exporters, shutdown: { timeout: 100, onProcessExit: true } };
    const app = await startContext(application(options));
    const span = trace.getTracer('app').startSpan('work');
    work(span);
    span.end();
    expect(
      await unhandledRejections(async () => {
        await Promise.all([app.close(), app.get(TracingService).flush(), app.close()]);
        await app.close();
      }),
    ).toEqual([]);
    expect(callsOf).toEqual(exporters.map(() => ['export', 'shutdown']));
  });

  it('may be called again, and at the same time', async () => {
    const calls: string[] = [];
    const app = await startContext(application({ exporter: recordCalls(new Backend(), calls) }));
    trace.getTracer('app').startSpan('work').end();
    await expect(Promise.all([app.close(), app.close()])).resolves.toEqual([undefined, undefined]);
    await expect(app.close()).resolves.toBeUndefined();
    await expect(app.get(TracingService).flush()).resolves.toBeUndefined();
    expect(calls).toEqual(['export', 'shutdown']);
  });
});

describe('TracingService.flush()', () => {
  it('exports what has ended', async () => {
    const exporter = new Backend();
    const app = await startContext(application({ exporter }));
    trace.getTracer('app').startSpan('work').end();
    expect(exporter.names).toEqual([]);
    await app.get(TracingService).flush();
    expect(exporter.names).toEqual(['work']);
    await app.close();
  });

  it('does not report a lack of time where an export has failed', async () => {
    const warnings = new Warnings();
    const exports: string[] = [];
    const failing = Object.assign(new Backend(), { export: () => Promise.reject(new Error('refused')) });
    const app = await startContext(application({ exporter: recordCalls(failing, exports) }), warnings);
    trace.getTracer('app').startSpan('work').end();
    await app.get(TracingService).flush();
    expect(exports).toEqual(['export']);
    // The library warns of a lost span once a minute, and may have done so for another test.
    expect(warnings.messages.filter((message) => !/lost/.test(message))).toEqual([]);
    await app.close();
  });

  it('gives up after the time limit, and does not reject', async () => {
    const calls: string[] = [];
    const exporter = recordCalls(Object.assign(new Backend(), { export() {} }), calls);
    const app = await startContext(application({ exporter, shutdown: { timeout: LIMIT } }));
    trace.getTracer('app').startSpan('work').end();
    const before = performance.now();
    await expect(app.get(TracingService).flush()).resolves.toBeUndefined();
    const waited = performance.now() - before;
    expect(calls).toEqual(['export']);
    expect(waited).toBeGreaterThanOrEqual(LIMIT - TIMER_PRECISION);
    expect(waited).toBeLessThan(1000);
    await app.close();
  });
});

/** The number of listeners of the process, by event. */
function listeners(): Record<string, number> {
  return Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)]));
}

function globals(): string[] {
  const names = Object.getOwnPropertySymbols(globalThis).map(String);
  return names.filter((name) => /opentelemetry/.test(name)).toSorted();
}

function registered(): string[] {
  const key = Symbol.for('opentelemetry.js.api.1');
  const { version: _, ...apis } = (globalThis as { [key]?: Record<string, unknown> })[key] ?? {};
  return Object.keys(apis);
}

async function cycle(exporter: SpanExporter): Promise<INestApplicationContext> {
  const app = await startContext(application({ exporter, shutdown: { onProcessExit: true } }));
  app.get(TracingService).span('work', () => {});
  return app;
}

it('leaves nothing behind: no listener, no global, no object', async () => {
  await (await cycle(new Backend())).close();
  const before = listeners();
  const exporters: WeakRef<SpanExporter>[] = [];
  for (let i = 0; i < 20; i++) {
    const exporter = new Backend();
    exporters.push(new WeakRef(exporter));
    const app = await cycle(exporter);
    expect(listeners()).not.toEqual(before);
    await app.close();
    expect(exporter.names).toEqual(['work']);
  }
  expect(listeners()).toEqual(before);
  expect(registered()).toEqual([]);
  expect(globals()).toEqual(['Symbol(opentelemetry.js.api.1)']);

  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const survivors = () => exporters.filter((exporter) => exporter.deref()).length;
  // The last objects may still be on the stack.
  for (let turn = 0; turn < 50 && survivors() > 2; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect();
  }
  expect(survivors()).toBeLessThanOrEqual(2);
});

describe("what is used of Nest's inner workings", () => {
  it('runs the shutdown hooks of the farthest module last, and of a global one at a finite distance', async () => {
    const calls: string[] = [];
    const logged = (name: string): Type => {
      class Logged {
        onApplicationShutdown(): void {
          calls.push(name);
        }
      }
      Global()(Logged);
      Module({})(Logged);
      return Logged;
    };
    const farthest = logged('farthest');
    @Module({ imports: [logged('first'), farthest, logged('last')] })
    class AppModule {
      constructor(modules: ModulesContainer) {
        for (const module of modules.values()) {
          expect(module.distance).toBeLessThan(Infinity);
          if (module.metatype === farthest) module.distance = Infinity;
        }
      }
    }
    await (await startContext(AppModule)).close();
    expect(calls.toSorted()).toEqual(['farthest', 'first', 'last']);
    expect(calls.at(-1)).toBe('farthest');
  });

  it('reads the imports of a dynamic module anew at each start, before it makes anything', async () => {
    const calls: string[] = [];
    @Module({ providers: [{ provide: 'made', useFactory: () => calls.push('made') }] })
    class OtherModule {}
    @Module({})
    class ReadModule {}
    const dynamic = Object.defineProperty({ module: ReadModule }, 'imports', {
      enumerable: true,
      get: () => void calls.push('read'),
    });
    @Module({ imports: [OtherModule, dynamic] })
    class AppModule {}
    for (let i = 0; i < 2; i++) {
      await (await startContext(AppModule)).close();
      expect(calls[0]).toBe('read');
      expect(calls.at(-1)).toBe('made');
      calls.length = 0;
    }
  });
});
