/** What pino, nestjs-pino and winston write: line, log record and span have the same ids, and nothing of the line changes. */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  Catch,
  Controller,
  Get,
  Injectable,
  Logger,
  Module,
  Res,
  UseFilters,
  type ArgumentsHost,
  type ExceptionFilter,
  type INestApplication,
  type LoggerService,
  type ModuleMetadata,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cron, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { Logger as PinoNestLogger, LoggerModule } from 'nestjs-pino';
import {
  LogExportTransport,
  Span,
  traceLogFields,
  traceLogMeta,
  TracingModule,
  type TracingOptions,
} from 'nestjs-tracing';
import { pino } from 'pino';
import { createLogger, format, transports, type LoggerOptions } from 'winston';
import { logsOf, type ReceivedLog } from '../support/log-receiver.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';
import { TemporaryFolder } from '../support/temporary-folder.js';
import { TraceRecorder } from '../support/trace-recorder.js';
import { waitFor } from '../support/wait-for.js';

type Line = Readonly<Record<string, unknown>>;

@Catch()
class OrdersFilter implements ExceptionFilter {
  private readonly logger = new Logger('OrdersFilter');
  catch(exception: Error, host: ArgumentsHost): void {
    this.logger.warn('in a filter');
    host.switchToHttp().getResponse<{ status(code: number): { send(body: string): void } }>().status(418).send('no');
    void exception;
  }
}

@Injectable()
class Orders {
  private readonly logger = new Logger(Orders.name);

  @Span()
  async find(): Promise<string> {
    await delay(1);
    this.logger.log('after a timer');
    return 'ok';
  }

  @Cron('0 0 1 1 *', { name: 'nightly' })
  purge(): void {
    this.logger.log('in a job');
  }
}

@Controller()
@UseFilters(OrdersFilter)
class OrdersController {
  private readonly logger = new Logger(OrdersController.name);

  constructor(private readonly orders: Orders) {}

  @Get('order')
  order(): Promise<string> {
    this.logger.log('in a handler');
    return this.orders.find();
  }

  @Get('fails')
  fails(): never {
    throw new Error('failed');
  }

  @Get('stream')
  stream(@Res() response: NodeJS.WritableStream): void {
    const source = new PassThrough();
    source.on('end', () => this.logger.log('at the end of a stream'));
    source.pipe(response);
    setTimeout(() => source.end('done'), 1);
  }
}

const SECRET = 'hunter2';

const MESSAGES = ['in a handler', 'after a timer', 'in a filter', 'at the end of a stream', 'in a job'];

/** A logger that an application uses in place of Nest's own, and writes to a file. */
interface Replacement {
  readonly imports?: ModuleMetadata['imports'];
  use(app: INestApplication): LoggerService;
}

function winstonOptions(filename: string): LoggerOptions {
  return {
    defaultMeta: traceLogMeta(),
    format: format.json(),
    transports: [new transports.File({ filename }), new LogExportTransport()],
  };
}

/** nestjs-pino keeps the first logger of a process. */
let pinoFile = '';
const pinoStream = { write: (line: string) => appendFileSync(pinoFile, line) };

function nestjsPino(): Replacement {
  return {
    imports: [LoggerModule.forRoot({ pinoHttp: [{ mixin: traceLogFields }, pinoStream] })],
    use: (app) => app.get(PinoNestLogger),
  };
}

const REPLACEMENTS: [string, (file: string) => Replacement][] = [
  ['pino', () => ({ use: () => asNestLogger(pino({ mixin: traceLogFields }, pinoStream)) })],
  ['nestjs-pino', nestjsPino],
  ['winston', (file) => ({ use: () => asNestLogger(createLogger(winstonOptions(file))) })],
];

describe('lines of other loggers', () => {
  let folder: TemporaryFolder;
  let receiver: OtlpReceiver;
  let traces: TraceRecorder;
  let app: INestApplication | undefined;

  beforeEach(async () => {
    folder = new TemporaryFolder({ 'application.log': '' });
    pinoFile = file();
    receiver = await OtlpReceiver.start();
    traces = new TraceRecorder();
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    jest.restoreAllMocks();
    await receiver.stop();
    folder[Symbol.dispose]();
  });

  const file = () => join(folder.path, 'application.log');
  const lines = (): Line[] =>
    readFileSync(file(), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
  const messageOf = (line: Line) => line.message ?? line.msg;

  async function start({ imports = [], use }: Replacement, logs: TracingOptions['logs']): Promise<INestApplication> {
    @Module({
      imports: [
        TracingModule.forRoot({
          serviceName: 'orders',
          exporter: traces,
          spanProcessors: [traces],
          http: { client: false },
          logs,
        }),
        ScheduleModule.forRoot(),
        ...imports,
      ],
      providers: [Orders],
      controllers: [OrdersController],
    })
    class OrdersModule {}
    const started = await NestFactory.create(OrdersModule, { bufferLogs: true });
    app = started;
    started.useLogger(use(started));
    await started.listen(0, '127.0.0.1');
    return started;
  }

  async function work(started: INestApplication): Promise<void> {
    const url = await started.getUrl();
    const headers = { authorization: `Bearer ${SECRET}`, cookie: SECRET };
    for (const path of ['order?key=hunter2', 'fails', 'stream']) {
      await (await fetch(`${url}/${path}`, { headers })).text();
    }
    await started.get(SchedulerRegistry).getCronJob('nightly').fireOnTick();
    await traces.until((spans) => spans.filter(({ parentSpanContext }) => !parentSpanContext).length >= 4);
    await started.close();
  }

  const exporting = () => ({ export: { endpoint: receiver.url, protocol: 'http/json' } }) as const;
  const idsOf = (name: string) => {
    const { spanId, traceId } = traces.named(name).spanContext();
    return { spanId, traceId };
  };

  describe.each(REPLACEMENTS)('%s', (name, replace) => {
    it('are log records, once each, and refer to the span that the lines refer to', async () => {
      await work(await start(replace(file()), exporting()));
      await waitFor({
        expected: 'all lines in the file',
        look: () => lines().map(messageOf),
        isExpected: (seen) => MESSAGES.every((message) => seen.includes(message)),
      });
      const records = logsOf(receiver).filter(({ body }) => MESSAGES.includes(String(body)));
      const ofRecords = records.map(({ body, spanId, traceId }) => [body, { spanId, traceId }]);
      const ofLines = lines()
        .filter((line) => MESSAGES.includes(String(messageOf(line))))
        .map((line) => [messageOf(line), { spanId: line.span_id, traceId: line.trace_id }]);
      expect(ofRecords).toEqual(ofLines);
      expect(ofRecords).toEqual([
        ['in a handler', idsOf('OrdersController.order')],
        ['after a timer', idsOf('Orders.find')],
        ['in a filter', idsOf('GET /fails')],
        ['at the end of a stream', idsOf('OrdersController.stream')],
        ['in a job', idsOf('Orders.purge')],
      ]);
      const [handler, , filter] = records as [ReceivedLog, ReceivedLog, ReceivedLog];
      expect([handler.severityNumber, handler.severityText]).toEqual([SeverityNumber.INFO, 'info']);
      expect([filter.severityNumber, filter.severityText]).toEqual([SeverityNumber.WARN, 'warn']);
      for (const field of ['level', 'time', 'pid', 'hostname', 'msg', 'message', 'trace_id', 'span_id', 'trace_flags'])
        expect(handler.attributes).not.toHaveProperty(field);
      if (name === 'nestjs-pino') expect(handler.attributes).toMatchObject({ context: 'OrdersController' });
    });

    it('are log records once each with two applications', async () => {
      const first = await start(replace(file()), exporting());
      const second = await start(replace(file()), exporting());
      await (await fetch(`${await second.getUrl()}/order`)).text();
      await second.close();
      await first.close();
      const records = logsOf(receiver).filter(({ body }) => body === 'in a handler');
      expect(records).toHaveLength(1);
      expect(records[0]).toMatchObject(idsOf('OrdersController.order'));
    });

    it('are none without the option, and the lines are the same', async () => {
      await work(await start(replace(file()), true));
      await waitFor({
        expected: 'all lines in the file',
        look: () => lines().map(messageOf),
        isExpected: (seen) => MESSAGES.every((message) => seen.includes(message)),
      });
      const order = lines().find((line) => messageOf(line) === 'in a handler');
      const { spanId, traceId } = idsOf('OrdersController.order');
      expect(order).toMatchObject({ trace_id: traceId, span_id: spanId, trace_flags: '01' });
      expect(receiver.requests).toEqual([]);
    });
  });

  it('of nestjs-pino about requests are below the span of the request, without its headers and URL', async () => {
    await work(await start(nestjsPino(), exporting()));
    const line = lines().find(({ msg }) => msg === 'request completed');
    expect(JSON.stringify(line)).toContain(SECRET);
    const records = logsOf(receiver).filter(({ body }) => body === 'request completed');
    expect(records).toHaveLength(3);
    expect(records[0]).toMatchObject({
      ...idsOf('GET /order'),
      attributes: { req: { method: 'GET' }, res: { statusCode: 200 } },
    });
    expect(JSON.stringify(logsOf(receiver))).not.toContain(SECRET);
  });

  it('of the logger of Fastify itself are exported as well', async () => {
    @Module({
      imports: [
        TracingModule.forRoot({
          serviceName: 'orders',
          exporter: traces,
          spanProcessors: [traces],
          http: { client: false },
          logs: exporting(),
        }),
      ],
    })
    class EmptyModule {}
    const adapter = new FastifyAdapter({ logger: { stream: pinoStream } });
    const started = await NestFactory.create(EmptyModule, adapter, { logger: false });
    app = started;
    await started.listen(0, '127.0.0.1');
    await (await fetch(`${await started.getUrl()}/nowhere`)).text();
    await traces.until((spans) => spans.length === 1);
    await started.close();
    const completed = logsOf(receiver).filter(({ body }) => body === 'request completed');
    expect(completed).toMatchObject([{ ...idsOf('GET'), attributes: { res: { statusCode: 404 } } }]);
  });
});

interface LevelLogger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

function asNestLogger(logger: LevelLogger): LoggerService {
  return {
    log: (message: string) => logger.info(message),
    warn: (message: string) => logger.warn(message),
    error: (message: string) => logger.error(message),
  };
}
