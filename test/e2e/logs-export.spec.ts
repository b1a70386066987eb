import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConsoleLogger, Controller, Get, Logger, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { logs, SeverityNumber } from '@opentelemetry/api-logs';
import { SpanStatusCode } from '@opentelemetry/api';
import { tracePool, TracingModule, type TracingOptions } from 'nestjs-tracing';
import { OtlpReceiver } from '../support/otlp-receiver.js';
import { TraceRecorder } from '../support/trace-recorder.js';

interface Value {
  readonly stringValue?: string;
  readonly intValue?: string;
  readonly kvlistValue?: { readonly values: readonly KeyValue[] };
}

interface KeyValue {
  readonly key: string;
  readonly value: Value;
}

interface Exported {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: Value;
  readonly attributes: readonly KeyValue[];
}

interface LogsMessage {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeLogs: readonly { readonly logRecords: readonly Exported[] }[];
  }[];
}

@Controller()
class OrdersController {
  private readonly logger = new Logger(OrdersController.name);

  @Get('order')
  order(): string {
    this.logger.log('order placed');
    this.logger.debug('not written at this level');
    this.logger.warn({ id: 7, password: 'secret' });
    this.logger.error('out of stock', 'Error: out of stock\n    at here');
    logs.getLogger('appender').emit({ severityNumber: SeverityNumber.INFO, body: 'by an appender' });
    return 'ok';
  }

  @Get('fails')
  fails(): never {
    throw new RangeError('none');
  }

  /** The database has the members by which one of better-sqlite3 is recognized. */
  @Get('duplicate')
  duplicate(): unknown {
    const members = { transaction() {}, pragma() {}, inTransaction: false, loadExtension() {}, prepare() {} };
    const database = tracePool({
      ...members,
      exec(text: string): never {
        throw Object.assign(new Error('UNIQUE failed: pw-secret'), { code: 'SQLITE_CONSTRAINT', text });
      },
    });
    try {
      return database.exec('INSERT INTO users VALUES (1)');
    } catch (error) {
      this.logger.warn({ step: 'insert', error });
      throw error;
    }
  }
}

const LEVELS = ['log', 'warn', 'error', 'fatal'] as const;

describe('the lines of a logger', () => {
  let receiver: OtlpReceiver;
  let traces: TraceRecorder;
  let app: INestApplication | undefined;
  let written: string[];

  beforeEach(async () => {
    receiver = await OtlpReceiver.start();
    traces = new TraceRecorder();
    written = [];
    for (const stream of [process.stdout, process.stderr])
      jest.spyOn(stream, 'write').mockImplementation((text) => {
        written.push(String(text));
        return true;
      });
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    delete process.env.OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN;
    jest.restoreAllMocks();
    await receiver.stop();
  });

  async function order(options: TracingOptions, logger: ConsoleLogger, path = 'order'): Promise<void> {
    @Module({
      imports: [
        TracingModule.forRoot({ serviceName: 'orders', exporter: traces, spanProcessors: [traces], ...options }),
      ],
      controllers: [OrdersController],
    })
    class OrdersModule {}
    const started = await NestFactory.create(OrdersModule, { logger });
    app = started;
    await started.listen(0, '127.0.0.1');
    const response = await fetch(`${await started.getUrl()}/${path}`);
    expect(response.status).toBe(path === 'order' ? 200 : 500);
    await response.text();
    await started.close();
  }

  const messages = (): LogsMessage[] => receiver.requests.map(({ body }) => JSON.parse(body.toString()) as LogsMessage);
  const records = (): Exported[] =>
    messages().flatMap(({ resourceLogs }) =>
      resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords)),
    );
  const inRequest = (): Exported[] => records().filter(({ traceId }) => traceId);
  const attributesOf = ({ attributes }: Exported) =>
    Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));

  describe.each([
    ['text', () => new ConsoleLogger({ colors: true, logLevels: [...LEVELS] })],
    ['JSON', () => new ConsoleLogger({ json: true, logLevels: [...LEVELS] })],
  ])('as %s', (_format, logger) => {
    it('are exported below the span that was active, by level and context, and are written as before', async () => {
      const endpoint = receiver.url;
      await order({ logs: { json: false, export: { endpoint, protocol: 'http/json' } } }, logger());
      const handler = traces.named('OrdersController.order').spanContext();
      const exported = inRequest();
      expect(exported.map(({ severityNumber, severityText }) => [severityNumber, severityText])).toEqual([
        [SeverityNumber.INFO, 'log'],
        [SeverityNumber.WARN, 'warn'],
        [SeverityNumber.ERROR, 'error'],
        [SeverityNumber.INFO, undefined],
      ]);
      for (const { spanId, traceId } of exported) {
        expect({ spanId, traceId }).toEqual({ spanId: handler.spanId, traceId: handler.traceId });
      }
      const [placed, warned, failed, appended] = exported as [Exported, Exported, Exported, Exported];
      expect(placed.body).toEqual({ stringValue: 'order placed' });
      expect(attributesOf(placed)).toEqual({ 'nestjs.logger.context': 'OrdersController' });
      expect(warned.body.kvlistValue?.values[0]).toEqual({ key: 'id', value: { intValue: 7 } });
      expect(attributesOf(failed)['exception.stacktrace']).toBe('Error: out of stock\n    at here');
      expect(appended.body).toEqual({ stringValue: 'by an appender' });
      expect(receiver.requests[0]?.path).toBe('/v1/logs');
      expect(written.join('')).toContain('order placed');
      expect(written.join('')).not.toContain('trace_id');
      const [resource] = messages()[0]!.resourceLogs;
      expect(resource!.resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'orders' } });
    });
  });

  it('have an error of a driver by its type alone, since its message quotes values', async () => {
    const endpoint = receiver.url;
    await order({ logs: { export: { endpoint, protocol: 'http/json' } } }, new ConsoleLogger(), 'duplicate');
    expect(written.join('')).toContain('pw-secret');
    expect(JSON.stringify(records())).not.toContain('pw-secret');
    const [warned, failed] = inRequest() as [Exported, Exported];
    expect(warned.body.kvlistValue?.values).toEqual([
      { key: 'step', value: { stringValue: 'insert' } },
      { key: 'error', value: { stringValue: 'Error' } },
    ]);
    expect(failed.body).toEqual({ stringValue: 'Error' });
  });

  it('are exported as the logger masks them', async () => {
    const logger = new ConsoleLogger({ json: true, redact: ['password'] });
    await order({ logs: { export: { endpoint: receiver.url, protocol: 'http/json' } } }, logger);
    expect(JSON.stringify(records())).not.toContain('secret');
    expect(inRequest().length).toBeGreaterThan(2);
  });

  it('go where the spans go', async () => {
    const exporter = { type: 'otlp', endpoint: `${receiver.url}/v1/traces`, headers: { 'x-api-key': 'k' } } as const;
    await order({ exporter: [exporter, traces], logs: { export: true } }, new ConsoleLogger());
    const paths = receiver.requests.map(({ path }) => path);
    expect(new Set(paths)).toEqual(new Set(['/v1/traces', '/v1/logs']));
    expect(receiver.requests.every(({ headers }) => headers['x-api-key'] === 'k')).toBe(true);
  });

  it('go by gRPC to the service for logs', async () => {
    const paths: unknown[] = [];
    const server = createServer();
    server.on('stream', (stream, headers) => {
      paths.push(headers[':path']);
      stream.resume();
      stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.alloc(5));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await order({ logs: { export: { endpoint, protocol: 'grpc' } } }, new ConsoleLogger());
    expect(paths).toEqual(['/opentelemetry.proto.collector.logs.v1.LogsService/Export']);
    server.close();
  });

  it.each([
    ['logs', 0],
    ['logs/dup', 1],
  ])('have exceptions beside them with OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN=%s', async (optIn, events) => {
    process.env.OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN = optIn;
    await order({ logs: { export: { endpoint: receiver.url, protocol: 'http/json' } } }, new ConsoleLogger(), 'fails');
    const handler = traces.named('OrdersController.fails');
    expect(handler.events).toHaveLength(events);
    expect(handler.status.code).toBe(SpanStatusCode.ERROR);
    const exceptions = inRequest().filter((record) => 'exception.type' in attributesOf(record));
    expect(exceptions).toHaveLength(1);
    expect(exceptions[0]?.spanId).toBe(handler.spanContext().spanId);
    expect(attributesOf(exceptions[0]!)).toMatchObject({ 'exception.type': 'RangeError', 'exception.message': 'none' });
  });

  it('have no exceptions beside them by default, or without the export', async () => {
    await order({ logs: { export: { endpoint: receiver.url, protocol: 'http/json' } } }, new ConsoleLogger(), 'fails');
    expect(traces.named('OrdersController.fails').events).toHaveLength(1);
    expect(inRequest().filter((record) => 'exception.type' in attributesOf(record))).toEqual([]);
    traces.reset();
    process.env.OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN = 'logs';
    await order({}, new ConsoleLogger(), 'fails');
    expect(traces.named('OrdersController.fails').events).toHaveLength(1);
  });

  it('leave no provider behind', async () => {
    await order({ logs: { export: { endpoint: receiver.url } } }, new ConsoleLogger());
    const count = receiver.requests.length;
    logs.getLogger('appender').emit({ body: 'too late' });
    expect(Object.getOwnPropertySymbols(globalThis)).not.toContain(Symbol.for('io.opentelemetry.js.api.logs'));
    expect(receiver.requests).toHaveLength(count);
  });

  it('that cannot be exported are told once, and harm nothing', async () => {
    const endpoint = receiver.url;
    await receiver.stop();
    const options: TracingOptions = { logs: { export: { endpoint, timeout: 200 } }, shutdown: { timeout: 1000 } };
    await order(options, new ConsoleLogger({ json: true }));
    const warnings = written.filter((line) => line.includes('log records are lost'));
    expect(warnings).toHaveLength(1);
    receiver = await OtlpReceiver.start();
  });

  it('are not exported unless that is asked for', async () => {
    await order({ exporter: [{ type: 'otlp', endpoint: receiver.url }, traces] }, new ConsoleLogger());
    expect(receiver.requests.map(({ path }) => path)).toEqual(['/v1/traces']);
  });
});
