import { Module } from '@nestjs/common';
import { expect, it } from '@jest/globals';
import { TracingModule, TracingService, type TracingOptions } from 'nestjs-tracing';
import { freePort } from '../support/free-port.js';
import { untraced } from '../support/http-app.js';
import { startContext } from '../support/nest.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';
import { Scrape } from '../support/scrape.js';

const EXPORTED = 'otel_sdk_exporter_span_exported_total';
const PROCESSED = 'otel_sdk_processor_span_processed_total';

interface Traced {
  /** Ends this number of spans. */
  work(spans: number): void;
  flush(): Promise<void>;
  scrape(): Promise<Scrape>;
  close(): Promise<void>;
}

async function start(options: TracingOptions): Promise<Traced> {
  const port = await freePort();
  const metrics = { port, host: '127.0.0.1', defaultMetrics: false };
  @Module({ imports: [TracingModule.forRoot({ serviceName: 'test', metrics, ...options })] })
  class AppModule {}
  const app = await startContext(AppModule);
  const tracing = app.get(TracingService);
  return {
    work(spans) {
      for (let span = 0; span < spans; span++) tracing.span('work', () => {});
    },
    flush: () => tracing.flush(),
    scrape: () => untraced(() => Scrape.of(`http://127.0.0.1:${port}/metrics`)),
    close: () => app.close(),
  };
}

it('tells what arrives and what waits', async () => {
  const receiver = await OtlpReceiver.start();
  const traced = await start({ exporter: { type: 'otlp', endpoint: receiver.url } });
  traced.work(3);
  const before = await traced.scrape();
  expect(before.value('otel_sdk_processor_span_queue_size')).toBe(3);
  expect(before.value('otel_sdk_processor_span_queue_capacity')).toBe(2048);
  expect(before.value(EXPORTED)).toBe(0);
  await traced.flush();
  const after = await traced.scrape();
  expect(after.value('otel_sdk_processor_span_queue_size')).toBe(0);
  expect(after.labels(EXPORTED)).toEqual([
    { otel_component_name: 'otlp_http_span_exporter/0', otel_component_type: 'otlp_http_span_exporter' },
  ]);
  expect(after.value(EXPORTED)).toBe(3);
  expect(after.value(PROCESSED, { error_type: undefined })).toBe(3);
  expect(after.types.get('otel_sdk_exporter_span_exported')).toBe('counter');
  await traced.close();
  await receiver.stop();
});

it('tells what is lost, and why', async () => {
  const receiver = await OtlpReceiver.start('refuse');
  const batch = { maxQueueSize: 4, maxExportBatchSize: 4 };
  const traced = await start({ exporter: { type: 'otlp', endpoint: receiver.url }, batch });
  // Four batches are pending, and one is queued.
  traced.work(30);
  await traced.flush();
  const found = await traced.scrape();
  const dropped = found.value(PROCESSED, { error_type: 'queue_full' })!;
  const failed = found.value(EXPORTED, { error_type: '400' })!;
  expect([dropped, failed]).toEqual([10, 20]);
  expect(found.value(EXPORTED, { error_type: undefined })).toBe(0);
  await traced.close();
  await receiver.stop();
});

it('tells several exporters apart, and says nothing of those that do not wait', async () => {
  const receiver = await OtlpReceiver.start();
  const traced = await start({
    exporter: [
      'memory',
      { type: 'otlp', endpoint: receiver.url },
      { type: 'otlp', protocol: 'http/json', endpoint: receiver.url },
    ],
  });
  traced.work(1);
  await traced.flush();
  const found = await traced.scrape();
  expect(found.labels(EXPORTED).map(({ otel_component_name }) => otel_component_name)).toEqual([
    'otlp_http_span_exporter/1',
    'otlp_http_json_span_exporter/2',
  ]);
  await traced.close();
  await receiver.stop();
});
