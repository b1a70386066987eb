import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { TracingModule, TracingService, type ExporterOption } from 'nestjs-tracing';
import { SpanKind } from '@opentelemetry/api';
import { HttpConnections } from '../../lib/export/otlp/http-connections.js';
import { startContext, Warnings } from '../support/nest.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';
import { TraceRecorder } from '../support/trace-recorder.js';

const EXPORTS = 20;

describe('the requests of exporters', () => {
  it.each<[string, (url: string) => ExporterOption]>([
    ['OTLP as http/protobuf', (endpoint) => ({ type: 'otlp', protocol: 'http/protobuf', endpoint })],
    ['OTLP as http/json', (endpoint) => ({ type: 'otlp', protocol: 'http/json', endpoint, compression: 'gzip' })],
    ['Jaeger over HTTP', (url) => ({ type: 'jaeger', endpoint: `${url}/api/traces` })],
  ])('are not traced and carry nothing: %s', async (_name, exporter) => {
    const receiver = await OtlpReceiver.start();
    const traces = new TraceRecorder();
    @Module({ imports: [TracingModule.forRoot({ serviceName: 'test', exporter: [traces, exporter(receiver.url)] })] })
    class AppModule {}
    const app = await startContext(AppModule);
    const tracing = app.get(TracingService);
    for (let i = 1; i <= EXPORTS; i++) {
      // An export may also start while a span is active, which must not become its parent.
      await tracing.span(`outer ${i}`, async () => {
        tracing.span(`inner ${i}`, () => {});
        await tracing.flush();
      });
    }
    await tracing.flush();
    await app.close();

    expect(receiver.requests.length).toBeGreaterThanOrEqual(EXPORTS);
    for (const { headers } of receiver.requests) {
      expect(headers).not.toHaveProperty('traceparent');
      expect(headers).not.toHaveProperty('baggage');
    }
    expect(traces.spans.filter((span) => span.kind === SpanKind.CLIENT)).toEqual([]);
    expect(traces.spans).toHaveLength(EXPORTS * 2);
    await receiver.stop();
  });

  it('are not traced when their receiver is gone', async () => {
    const receiver = await OtlpReceiver.start();
    const { url } = receiver;
    await receiver.stop();
    const traces = new TraceRecorder();
    const exporter = [traces, { type: 'otlp', endpoint: url, timeout: 200 }] as const;
    @Module({ imports: [TracingModule.forRoot({ serviceName: 'test', exporter, shutdown: { timeout: 500 } })] })
    class AppModule {}
    const warnings = new Warnings();
    const app = await startContext(AppModule, warnings);
    app.get(TracingService).span('work', () => {});
    await app.get(TracingService).flush();
    await app.close();
    expect(warnings.messages).toEqual([expect.stringMatching(/^1 span is lost: the export to .*ECONNREFUSED/)]);
    expect(traces.spans.map((span) => span.name)).toEqual(['work']);
  });

  it('are not traced where they come late, by another copy of the library', async () => {
    const receiver = await OtlpReceiver.start();
    const traces = new TraceRecorder();
    @Module({ imports: [TracingModule.forRoot({ serviceName: 'test', exporter: traces })] })
    class AppModule {}
    const app = await startContext(AppModule);
    // Its context is not ours, so nothing around it says that it is not to be traced.
    const connections = new HttpConnections({ url: new URL(receiver.url), proxy: undefined, tls: undefined });
    await connections.post(Buffer.from('{}'), { 'content-type': 'application/json' }, 5000);
    app.get(TracingService).span('work', () => {});
    const headers = { 'content-type': 'application/json' };
    const sent = request(receiver.url, { method: 'POST', headers }).end('{}');
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    await once(response.resume(), 'end');
    await app.close();
    expect(receiver.requests).toHaveLength(2);
    expect(traces.spans.map((span) => span.name)).toEqual(['work', 'POST']);
    connections.close();
    await receiver.stop();
  });
});
