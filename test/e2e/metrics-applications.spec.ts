import { once } from 'node:events';
import { createServer } from 'node:net';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Scope,
  type INestApplicationContext,
  type OnApplicationBootstrap,
  type OnModuleInit,
  type Provider,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { collectDefaultMetrics, Gauge, register, Registry } from 'prom-client';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { Counted, TracingModule, TracingService, type TracingOptions } from 'nestjs-tracing';
import { freePort } from '../support/free-port.js';
import { startHttpApp, untraced, type HttpApp } from '../support/http-app.js';
import { startContext, Warnings } from '../support/nest.js';
import { Scrape } from '../support/scrape.js';
import { waitFor } from '../support/wait-for.js';

@Injectable()
class OrdersService {
  @Counted()
  place(): void {}

  @Counted()
  static countAll(): void {}
}

@Injectable({ scope: Scope.TRANSIENT })
class TransientService {
  @Counted()
  work(): void {}
}

@Injectable()
class Holder {
  constructor(@Inject(TransientService) readonly transient: TransientService) {}
}

@Injectable({ scope: Scope.REQUEST })
class RequestService {
  @Counted()
  work(): string {
    return 'done';
  }
}

@Controller()
class WorkController {
  constructor(@Inject(RequestService) private readonly service: RequestService) {}

  @Get('work')
  work(): string {
    return this.service.work();
  }
}

@Controller()
class ResettingController {
  @Get('reset')
  reset(): string {
    register.resetMetrics();
    return 'reset';
  }

  @Get('clear')
  clear(): string {
    register.clear();
    return 'cleared';
  }
}

const prometheus = (registry: Registry, options: object = {}): TracingOptions => ({
  exporter: 'none',
  metrics: { registry, path: false, defaultMetrics: false, ...options },
});

function application(options: TracingOptions, ...providers: Provider[]): Type {
  @Module({ imports: [TracingModule.forRoot(options)], providers: [OrdersService, ...providers] })
  class AppModule {}
  return AppModule;
}

const apps: { close(): Promise<void> }[] = [];
const warnings = new Warnings();

async function start(options: TracingOptions, ...providers: Provider[]): Promise<INestApplicationContext> {
  const app = await startContext(application(options, ...providers), warnings);
  apps.push(app);
  return app;
}

async function startHttp(registry: Registry, controllers: Type[], providers: Provider[] = []): Promise<HttpApp> {
  const { metrics } = prometheus(registry, { path: '/metrics' });
  const http = await startHttpApp('Express', { tracing: { metrics }, controllers, providers });
  apps.push(http);
  return http;
}

let ahead = 0;
beforeEach(() => {
  // A message is written once a minute. More time has to pass between two tests, so that each test gets its own.
  ahead += 120_000;
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
  warnings.take();
});

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  register.clear();
  jest.restoreAllMocks();
});

async function calls(registry: Registry): Promise<number> {
  const metrics = await registry.getMetricsAsJSON();
  const values = metrics.find(({ name }) => name === 'method_calls_total')?.values ?? [];
  return values.reduce((sum, { value }) => sum + Number(value), 0);
}

const names = (registry: Registry) => registry.getMetricsAsArray().map(({ name }) => name);

describe('two applications at a time', () => {
  it('each count the calls of their own services', async () => {
    const [one, two] = [new Registry(), new Registry()];
    const [first, second] = [await start(prometheus(one), Holder, TransientService), await start(prometheus(two))];
    for (let i = 0; i < 3; i++) first.get(OrdersService).place();
    first.get(Holder).transient.work();
    second.get(OrdersService).place();
    expect([await calls(one), await calls(two)]).toEqual([4, 1]);
    OrdersService.countAll();
    expect([await calls(one), await calls(two)]).toEqual([4, 2]);
  });

  it('go on to do so when one of them is over', async () => {
    const [one, two] = [new Registry(), new Registry()];
    const [first, second] = [await start(prometheus(one)), await start(prometheus(two))];
    await second.close();
    first.get(OrdersService).place();
    expect([await calls(one), await calls(two)]).toEqual([1, 0]);
  });

  it('each count what is made for their requests', async () => {
    const registries = [new Registry(), new Registry()];
    const [first] = [
      await startHttp(registries[0]!, [WorkController], [RequestService]),
      await startHttp(registries[1]!, [WorkController], [RequestService]),
    ];
    expect((await first.request('/work')).body).toBe('done');
    expect([await calls(registries[0]!), await calls(registries[1]!)]).toEqual([1, 0]);
  });

  it.each<[string, TracingOptions]>([
    ['measures nothing', { exporter: 'none' }],
    ['is not traced', { enabled: false }],
  ])('count nothing where the one that is called %s', async (_, options) => {
    const registry = new Registry();
    const [silent, measured] = [await start(options), await start(prometheus(registry))];
    silent.get(OrdersService).place();
    expect(await calls(registry)).toBe(0);
    measured.get(OrdersService).place();
    expect(await calls(registry)).toBe(1);
  });

  it('share a registry, and what is observed stays there until the last of them is over', async () => {
    const options = prometheus(register, { defaultMetrics: true });
    const [first, second] = [await start(options), await start(options)];
    for (const app of [first, second]) app.get(OrdersService).place();
    expect(await calls(register)).toBe(2);
    await second.close();
    expect(names(register)).toEqual(expect.arrayContaining(['target_info', 'process_cpu_user_seconds_total']));
    await first.close();
    expect(names(register)).toContain('method_calls_total');
    expect(names(register).filter((name) => /^(target_info|otel_sdk_|process_|nodejs_)/.test(name))).toEqual([]);
  });
});

describe('applications one after the other', () => {
  it('share one set of the default metrics of the process', async () => {
    const sets = new Set<unknown>();
    for (let i = 0; i < 3; i++) {
      const registry = new Registry();
      const app = await startContext(application(prometheus(registry, { defaultMetrics: true })));
      sets.add(registry.getSingleMetric('nodejs_gc_duration_seconds'));
      expect(await registry.metrics()).toMatch(/nodejs_version_info\{[^}]+\} 1/);
      await app.close();
      expect(registry.getSingleMetric('nodejs_gc_duration_seconds')).toBeUndefined();
    }
    expect(sets.size).toBe(1);
    expect(sets).not.toContain(undefined);
  });

  it('register their metrics again when the registry was cleared in between', async () => {
    for (let i = 0; i < 2; i++) {
      const app = await startContext(application(prometheus(register)));
      app.get(OrdersService).place();
      expect(await calls(register)).toBe(1);
      await app.close();
      register.clear();
    }
  });

  it('have no callbacks left with a meter provider that outlives them', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
    const meterProvider = new MeterProvider({ readers: [reader] });
    const exported = async () => {
      const { resourceMetrics } = await reader.collect();
      const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
      return metrics.find(({ descriptor }) => descriptor.name === 'otel.sdk.exporter.span.exported')?.dataPoints;
    };
    const spans: TracingOptions['exporter'] = {
      export: (_, done) => done({ code: 0 }),
      shutdown: () => Promise.resolve(),
    };
    for (const count of [1, 2, 3]) {
      const app = await start({ exporter: spans, metrics: { type: 'opentelemetry', meterProvider } });
      for (let i = 0; i < count; i++) app.get(TracingService).span('work', () => {});
      await app.get(TracingService).flush();
      expect((await exported())?.map(({ value }) => value)).toEqual([count]);
      await app.close();
    }
    await meterProvider.shutdown();
  });
});

describe('beside the metrics of another module', () => {
  it('leaves its default metrics alone, also where it adds them after this one', async () => {
    @Injectable()
    class PrometheusModule implements OnModuleInit {
      onModuleInit(): void {
        collectDefaultMetrics({ register });
      }
    }
    await start(prometheus(register, { defaultMetrics: true }), PrometheusModule);
    expect(names(register).filter((name) => name === 'process_cpu_user_seconds_total')).toHaveLength(1);
    expect(names(register)).toContain('target_info');
  });

  it('leaves metrics of the same name alone', async () => {
    new Gauge({ name: 'method_calls_total', help: 'Its own.' }).set(7);
    const app = await start(prometheus(register));
    app.get(OrdersService).place();
    expect(await calls(register)).toBe(7);
    expect(warnings.take()).toEqual([expect.stringContaining('already has another metric method_calls_total')]);
  });
});

describe('a registry that is emptied while requests are served', () => {
  it('counts what is under way, and never below zero', async () => {
    const http = await startHttp(register, [ResettingController]);
    await http.request('/reset');
    const scrape = () => Scrape.counted(`${http.url}/metrics`, 'http_server_request_duration_seconds', 1);
    expect((await scrape()).value('http_server_active_requests')).toBe(0);
    await http.request('/clear');
    expect((await scrape()).value('http_server_active_requests')).toBe(0);
    expect((await scrape()).value('target_info')).toBe(1);
  });
});

describe('a start that fails', () => {
  class InitFails implements OnModuleInit {
    onModuleInit(): void {
      throw new Error('not there');
    }
  }

  class BootstrapFails implements OnApplicationBootstrap {
    onApplicationBootstrap(): void {
      throw new Error('not there');
    }
  }

  const reachable = (port: number) =>
    untraced(() => fetch(`http://127.0.0.1:${port}/metrics`)).then(
      ({ status }) => status,
      () => 'unreachable',
    );
  const becomes = (port: number, state: number | 'unreachable') =>
    waitFor({
      expected: `metrics on port ${port} to be ${state}`,
      look: () => reachable(port),
      isExpected: (seen) => seen === state,
    });

  it.each([
    ['onModuleInit()', InitFails],
    ['onApplicationBootstrap()', BootstrapFails],
  ])('in %s of a provider leaves neither a port nor metrics', async (_, Failing) => {
    const port = await freePort();
    const failed = new Registry();
    const options = (registry: Registry): TracingOptions => ({
      exporter: 'none',
      metrics: { registry, port, host: '127.0.0.1' },
    });
    await expect(startContext(application(options(failed), Failing))).rejects.toThrow('not there');
    expect(await reachable(port)).toBe('unreachable');
    expect(names(failed).filter((name) => /^(target_info|otel_sdk_|process_|nodejs_)/.test(name))).toEqual([]);

    const app = await start({ exporter: 'none' });
    app.get(OrdersService).place();
    new OrdersService().place();
    expect(await calls(failed)).toBe(0);
    await app.close();

    await start(options(new Registry()));
    expect([await reachable(port), warnings.take()]).toEqual([200, []]);
  });

  it('because its port is taken leaves none, and goes on when another one is free', async () => {
    const [port, taken] = [await freePort(), await freePort()];
    const registry = new Registry();
    const other = createServer().listen(taken, '127.0.0.1');
    await once(other, 'listening');
    const options = prometheus(registry, { path: '/metrics', port, host: '127.0.0.1' });
    const app = await NestFactory.create(application(options), { logger: false, abortOnError: false });
    await expect(app.listen(taken, '127.0.0.1')).rejects.toThrow('EADDRINUSE');
    await becomes(port, 'unreachable');
    expect(names(registry)).not.toContain('target_info');
    app.get(OrdersService).place();
    expect(await calls(registry)).toBe(0);

    await app.listen(0, '127.0.0.1');
    await becomes(port, 200);
    app.get(OrdersService).place();
    expect(await calls(registry)).toBe(1);
    await app.close();
    expect(await reachable(port)).toBe('unreachable');
    other.close();
    await once(other, 'close');
  });
});
