import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  Catch,
  ConsoleLogger,
  Controller,
  Get,
  Injectable,
  Logger,
  Module,
  Res,
  Scope,
  UseFilters,
  type ArgumentsHost,
  type ExceptionFilter,
  type INestApplication,
  type LoggerService,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { Span, traceLogFields, traceLogMeta, TracingModule, type TracingOptions } from 'nestjs-tracing';
import { pino } from 'pino';
import { createLogger, transports } from 'winston';
import { TraceRecorder } from '../support/trace-recorder.js';

type Line = Record<string, unknown>;

@Catch()
class LoggingFilter implements ExceptionFilter {
  private readonly logger = new Logger('Filter');
  catch(exception: Error, host: ArgumentsHost): void {
    this.logger.warn(exception.message);
    const response = host.switchToHttp().getResponse<{ status(code: number): { send(body: string): void } }>();
    response.status(418).send('no');
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class OwnLogger extends ConsoleLogger {
  constructor() {
    super('Own', { json: true });
  }
}

@Injectable()
class Prices {
  private readonly logger = new Logger(Prices.name);

  @Span()
  async find(): Promise<number> {
    this.logger.log('inside');
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.logger.log('after a timer');
    return 1;
  }
}

@Controller()
@UseFilters(LoggingFilter)
class PricesController {
  private readonly logger = new Logger(PricesController.name);

  constructor(
    private readonly prices: Prices,
    private readonly own: OwnLogger,
  ) {}

  @Get('price')
  async price(): Promise<string> {
    this.logger.log({ text: 'an object', trace_id: 'mine' });
    this.own.log('own');
    await this.prices.find();
    return 'ok';
  }

  @Get('fails')
  fails(): never {
    throw new Error('failed');
  }

  @Get('stream')
  stream(@Res() response: NodeJS.WritableStream): void {
    const source = new PassThrough();
    source.on('end', () => this.logger.log('stream ended'));
    source.pipe(response);
    setTimeout(() => source.end('done'), 1);
  }
}

describe('log lines', () => {
  let traces: TraceRecorder;
  let app: INestApplication | undefined;
  let lines: string[];

  beforeEach(() => {
    traces = new TraceRecorder();
    lines = [];
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    jest.restoreAllMocks();
  });

  async function start(logger: LoggerService, options: TracingOptions = {}): Promise<(path: string) => Promise<void>> {
    @Module({
      imports: [
        TracingModule.forRoot({ serviceName: 'prices', exporter: traces, spanProcessors: [traces], ...options }),
      ],
      providers: [Prices, OwnLogger],
      controllers: [PricesController],
    })
    class PricesModule {}

    const started = await NestFactory.create(PricesModule, { logger });
    app = started;
    await started.listen(0, '127.0.0.1');
    const url = await started.getUrl();
    return async (path) => {
      // The spans of the test's own requests are of no interest.
      const response = await fetch(`${url}/${path}`, { headers: { traceparent: CALLER } });
      await response.text();
      await traces.until((spans) => spans.some(({ kind }) => kind === 1));
    };
  }

  function captureOutput(): void {
    for (const stream of [process.stdout, process.stderr])
      jest.spyOn(stream, 'write').mockImplementation((text) => {
        lines.push(String(text));
        return true;
      });
  }
  const parsed = (): Line[] => lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);
  const lineWith = (message: string): Line | undefined => parsed().find((line) => line.message === message);
  const idsOf = (span: ReadableSpan | undefined) => ({
    trace_id: span?.spanContext().traceId,
    span_id: span?.spanContext().spanId,
    trace_flags: '01',
  });

  it('in JSON refer to the active span: in handlers, services and timers', async () => {
    captureOutput();
    const get = await start(new ConsoleLogger({ json: true }));
    await get('price');
    expect(lineWith('inside')).toMatchObject(idsOf(traces.named('Prices.find')));
    expect(lineWith('after a timer')).toMatchObject(idsOf(traces.named('Prices.find')));
    expect(lineWith('own')).toMatchObject(idsOf(traces.named('PricesController.price')));
  });

  it('in JSON keep the fields of the application, and have no others outside of spans', async () => {
    captureOutput();
    const get = await start(new ConsoleLogger({ json: true }));
    await get('price');
    const object = parsed().find((line) => typeof line.message === 'object');
    expect(object).toMatchObject({ message: { text: 'an object', trace_id: 'mine' }, context: 'PricesController' });
    const startLine = parsed().find((line) => String(line.message).startsWith('Nest application'));
    expect(startLine).toBeDefined();
    expect(startLine).not.toHaveProperty('trace_id');
  });

  it('in JSON refer to the request in filters and at the end of streams', async () => {
    captureOutput();
    const get = await start(new ConsoleLogger({ json: true }));
    await get('fails');
    const failed = traces.spans.find(({ kind }) => kind === 1);
    expect(lineWith('failed')).toMatchObject({ trace_id: failed?.spanContext().traceId });
    traces.take();
    await get('stream');
    expect(lineWith('stream ended')).toMatchObject({ trace_id: traces.spans[0]?.spanContext().traceId });
  });

  it.each([
    ['logs: false', { logs: false }],
    ['logs.json: false', { logs: { json: false } }],
    ['tracing disabled', { enabled: false }],
  ] satisfies [string, TracingOptions][])('are as without tracing with %s', async (_, options) => {
    captureOutput();
    const logger = new ConsoleLogger({ json: true });
    await start(logger, options);
    logger.log('line');
    expect(Object.getOwnPropertyNames(logger)).not.toContain('getJsonLogObject');
    expect(Object.keys(lineWith('line') ?? {})).toEqual(['level', 'pid', 'timestamp', 'message']);
  });

  it('of text are unchanged, unless the application asks for a suffix', async () => {
    captureOutput();
    const get = await start(new ConsoleLogger({ colors: false }));
    await get('price');
    expect(lines.join('')).not.toContain('trace_id=');
    await app?.close();
    lines = [];
    traces.take();
    const getAgain = await start(new ConsoleLogger({ colors: false }), { logs: { text: true } });
    await getAgain('price');
    const { span_id, trace_id } = idsOf(traces.named('Prices.find'));
    expect(lines.find((line) => line.includes('inside'))).toMatch(
      new RegExp(`inside.* trace_id=${trace_id} span_id=${span_id}\\n$`),
    );
  });

  it('are as before once the application is closed', async () => {
    captureOutput();
    const logger = new ConsoleLogger({ json: true });
    await start(logger);
    await app?.close();
    expect(Object.getOwnPropertyNames(logger)).not.toContain('getJsonLogObject');
  });

  it('find a logger that replaces the first one before the application listens', async () => {
    captureOutput();
    @Module({
      imports: [TracingModule.forRoot({ serviceName: 'prices', exporter: traces, spanProcessors: [traces] })],
      providers: [Prices, OwnLogger],
      controllers: [PricesController],
    })
    class BufferedModule {}
    const started = await NestFactory.create(BufferedModule, { bufferLogs: true });
    app = started;
    started.useLogger(new ConsoleLogger({ json: true }));
    await started.listen(0, '127.0.0.1');
    const response = await fetch(`${await started.getUrl()}/price`, { headers: { traceparent: CALLER } });
    await response.text();
    await traces.until((spans) => spans.some(({ kind }) => kind === 1));
    expect(lineWith('inside')).toMatchObject(idsOf(traces.named('Prices.find')));
  });

  it('of pino refer to the active span with traceLogFields() as mixin', async () => {
    captureOutput();
    const stream = new PassThrough();
    stream.on('data', (chunk) => lines.push(String(chunk)));
    const logger = pino({ mixin: traceLogFields, messageKey: 'message' }, stream);
    const get = await start(asNestLogger(logger));
    await get('price');
    expect(lineWith('inside')).toMatchObject(idsOf(traces.named('Prices.find')));
  });

  it('of winston refer to the active span with traceLogMeta() as defaultMeta', async () => {
    captureOutput();
    const stream = new PassThrough();
    stream.on('data', (chunk) => lines.push(String(chunk)));
    const instance = createLogger({
      defaultMeta: traceLogMeta(),
      transports: [new transports.Stream({ stream })],
    });
    const get = await start(asNestLogger(instance));
    await get('price');
    expect(lineWith('inside')).toMatchObject(idsOf(traces.named('Prices.find')));
  });
});

const CALLER = '00-11111111111111111111111111111111-2222222222222222-01';

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
