import { Controller, Get, Module } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { metrics, SpanKind, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type HistogramMetricData,
} from '@opentelemetry/sdk-metrics';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { Timed, TracingModule, type MeterMetricsOptions } from 'nestjs-tracing';
import { startHttpApp, untraced, withHttpApp, type HttpApp } from '../support/http-app.js';
import { startContext, Warnings } from '../support/nest.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';

@Controller('users')
class UsersController {
  @Timed()
  @Get(':id')
  one(): string {
    return 'one';
  }
}

/** A meter provider whose metrics the test can export at any time. */
class Recorder {
  readonly exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  readonly reader = new PeriodicExportingMetricReader({ exporter: this.exporter, exportIntervalMillis: 2 ** 30 });
  readonly provider = new MeterProvider({ readers: [this.reader] });

  async metrics() {
    await this.reader.forceFlush();
    const scopes = this.exporter.getMetrics().at(-1)?.scopeMetrics ?? [];
    return scopes.find(({ scope }) => scope.name === 'nestjs-tracing')?.metrics ?? [];
  }

  async named(name: string) {
    const found = (await this.metrics()).find(({ descriptor }) => descriptor.name === name);
    if (!found) throw new Error(`no metric ${name}`);
    return found;
  }
}

it('warns if no MeterProvider is registered', async () => {
  const warnings = new Warnings();
  @Module({ imports: [TracingModule.forRoot({ exporter: 'none', metrics: { type: 'opentelemetry' } })] })
  class AppModule {}
  const app = await startContext(AppModule, warnings);
  expect(warnings.take()).toEqual([
    'Metrics go nowhere so far: no MeterProvider is registered. Register one before the application starts, or give metrics.meterProvider.',
  ]);
  await app.close();
});

describe('metrics by the Meter API', () => {
  let http: HttpApp;
  const recorder = new Recorder();
  const start = async (options: Partial<MeterMetricsOptions> = {}) => {
    http = await startHttpApp('Express', {
      controllers: [UsersController],
      tracing: { metrics: { type: 'opentelemetry', ...options } },
    });
  };
  afterEach(async () => {
    await http.close();
    metrics.disable();
  });

  it('have the names, units and buckets of the conventions', async () => {
    metrics.setGlobalMeterProvider(recorder.provider);
    await start();
    await http.request('/users/1');
    await http.traces.until((spans) => spans.length === 2);
    const { dataPointType, dataPoints, descriptor } = (await recorder.named(
      'http.server.request.duration',
    )) as HistogramMetricData;
    expect([descriptor.unit, dataPointType]).toEqual(['s', DataPointType.HISTOGRAM]);
    expect(dataPoints.map(({ attributes }) => attributes)).toEqual([
      {
        'http.request.method': 'GET',
        'url.scheme': 'http',
        'http.route': '/users/:id',
        'http.response.status_code': 200,
        'network.protocol.version': '1.1',
      },
    ]);
    expect(dataPoints[0]!.value.buckets.boundaries).toEqual([
      0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
    ]);
    expect(dataPoints[0]!.value.count).toBe(1);
    const active = await recorder.named('http.server.active_requests');
    expect(active.descriptor.unit).toBe('{request}');
    expect(active.dataPoints.map(({ value }) => value)).toEqual([0]);
    const timed = await recorder.named('method.duration');
    expect(timed.dataPoints.map(({ attributes }) => attributes)).toEqual([
      { 'code.function.name': 'UsersController.one' },
    ]);
  });

  it('go to the provider that is given, and leave no page to scrape', async () => {
    const own = new Recorder();
    await start({ meterProvider: own.provider });
    await http.request('/users/1');
    await http.traces.until((spans) => spans.length === 2);
    expect((await own.named('http.server.request.duration')).dataPoints).toHaveLength(1);
    expect((await http.request('/metrics')).status).toBe(404);
    await own.provider.shutdown();
  });

  it('begin when a provider is registered after the application has started', async () => {
    await start();
    await http.request('/users/1');
    const late = new Recorder();
    metrics.setGlobalMeterProvider(late.provider);
    await http.request('/users/2');
    await http.traces.until((spans) => spans.length === 4);
    const { dataPoints } = (await late.named('http.server.request.duration')) as HistogramMetricData;
    expect(dataPoints.map(({ value }) => value.count)).toEqual([1]);
    await late.provider.shutdown();
  });
});

it('tell of the export of spans', async () => {
  const recorder = new Recorder();
  const receiver = await OtlpReceiver.start();
  const meter: MeterMetricsOptions = { type: 'opentelemetry', meterProvider: recorder.provider };
  @Module({ imports: [TracingModule.forRoot({ exporter: { type: 'otlp', endpoint: receiver.url }, metrics: meter })] })
  class AppModule {}
  const app = await startContext(AppModule);
  const { dataPoints } = await recorder.named('otel.sdk.processor.span.queue.capacity');
  expect(dataPoints.map(({ attributes, value }) => [attributes, value])).toEqual([
    [{ 'otel.component.name': 'batching_span_processor/0', 'otel.component.type': 'batching_span_processor' }, 2048],
  ]);
  await app.close();
  await recorder.provider.shutdown();
  await receiver.stop();
});

it('does not count a request again that another instrumentation has a span for', async () => {
  const recorder = new Recorder();
  const foreign = new TracerProvider();
  trace.setGlobalTracerProvider(foreign);
  const around = {
    // An instrumentation of node:http wraps the listeners of a server like this.
    prepare: (app: { getHttpServer(): { emit(...args: unknown[]): boolean } }) => {
      const server = app.getHttpServer();
      const { emit } = server;
      server.emit = (...args) =>
        args[0] === 'request'
          ? foreign.getTracer('http').startActiveSpan('GET', { kind: SpanKind.SERVER }, () => emit.apply(server, args))
          : emit.apply(server, args);
    },
  };
  const tracing = { metrics: { type: 'opentelemetry', meterProvider: recorder.provider } } as const;
  await withHttpApp('Express', { controllers: [UsersController], tracing, ...around }, async (http) => {
    expect(await untraced(() => http.request('/users/1'))).toMatchObject({ status: 200 });
  });
  const names = (await recorder.metrics()).map(({ descriptor }) => descriptor.name);
  expect(names).toContain('method.duration');
  expect(names).not.toContain('http.server.request.duration');
  await recorder.provider.shutdown();
  trace.disable();
});
