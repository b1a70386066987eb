/** Two applications, one with nestjs-pino, one with nest-winston. Line, log record and span of a request have to have the same ids. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  Controller,
  Get,
  Logger,
  Module,
  type DynamicModule,
  type INestApplication,
  type LoggerService,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace';
import { WINSTON_MODULE_NEST_PROVIDER, WinstonModule } from 'nest-winston';
import { Logger as PinoNestLogger, LoggerModule } from 'nestjs-pino';
import { LogExportTransport, traceLogFields, traceLogMeta, TracingModule } from 'nestjs-tracing';
import { pino } from 'pino';
import * as winston from 'winston';

interface LogRecord {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly severityNumber: number;
  readonly body?: { readonly stringValue?: string };
}

interface LogsMessage {
  readonly resourceLogs: readonly { readonly scopeLogs: readonly { readonly logRecords: readonly LogRecord[] }[] }[];
}

const bodies: string[] = [];
const receiver = createServer((request, response) => {
  void text(request).then((body) => {
    bodies.push(body);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
});

/** The lines that all loggers have written. */
const lines: string[] = [];
const stream = new PassThrough();
stream.on('data', (chunk: Buffer) => lines.push(...chunk.toString().split('\n').filter(Boolean)));

const plainPino = pino({ mixin: traceLogFields }, stream);
const winstonOptions: winston.LoggerOptions = {
  defaultMeta: traceLogMeta(),
  transports: [new winston.transports.Stream({ stream }), new LogExportTransport()],
};

@Controller('orders')
class OrdersController {
  private readonly logger = new Logger(OrdersController.name);

  @Get()
  list(): string {
    this.logger.warn('by Nest');
    plainPino.warn('by pino');
    return 'ok';
  }
}

async function run(
  logging: DynamicModule,
  loggerOf: (app: INestApplication) => LoggerService,
  endpoint: string,
): Promise<void> {
  const exporter = new InMemorySpanExporter();
  class AppModule {}
  Module({
    imports: [
      TracingModule.forRoot({ serviceName: 'orders', exporter, logs: { export: { endpoint, protocol: 'http/json' } } }),
      logging,
    ],
    controllers: [OrdersController],
  })(AppModule);
  const app = await NestFactory.create(AppModule, { bufferLogs: true });
  app.useLogger(loggerOf(app));
  await app.listen(0, '127.0.0.1');
  const response = await fetch(`${await app.getUrl()}/orders`);
  assert.equal(await response.text(), 'ok');
  const finished: { name: string; traceId: string; spanId: string }[] = [];
  const { shutdown } = exporter;
  exporter.shutdown = () => {
    for (const span of exporter.getFinishedSpans()) finished.push({ name: span.name, ...span.spanContext() });
    return shutdown.call(exporter);
  };
  await app.close();

  const handler = finished.find(({ name }) => name === 'OrdersController.list');
  assert.ok(handler);
  const ofSpan = { traceId: handler.traceId, spanId: handler.spanId };
  const written = lines.splice(0).map((line) => JSON.parse(line) as Record<string, unknown>);
  const records = bodies
    .splice(0)
    .flatMap((body) => (JSON.parse(body) as LogsMessage).resourceLogs)
    .flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords));
  for (const message of ['by Nest', 'by pino']) {
    const line = written.filter((each) => (each['msg'] ?? each['message']) === message);
    assert.deepEqual(
      line.map(({ span_id, trace_id }) => ({ traceId: trace_id, spanId: span_id })),
      [ofSpan],
    );
    const record = records.filter(({ body }) => body?.stringValue === message);
    assert.deepEqual(
      record.map(({ severityNumber, spanId, traceId }) => ({ severityNumber, traceId, spanId })),
      [{ severityNumber: 13, ...ofSpan }],
    );
  }
}

async function main(): Promise<void> {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const pinoHttp: [object, NodeJS.WritableStream] = [{ mixin: traceLogFields }, stream];
  await run(
    LoggerModule.forRoot({ pinoHttp } as Parameters<typeof LoggerModule.forRoot>[0]),
    (app) => app.get(PinoNestLogger),
    endpoint,
  );
  await run(
    WinstonModule.forRoot(winstonOptions),
    (app) => app.get<LoggerService>(WINSTON_MODULE_NEST_PROVIDER),
    endpoint,
  );
  receiver.close();
  receiver.closeAllConnections();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
