import { channel } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { multistream, pino, stdSerializers, type Logger, type LoggerOptions } from 'pino';
import type { LogLine } from '../../../lib/core/log-line.js';
import { withholdDetails } from '../../../lib/core/withheld-details.js';
import { followPino } from '../../../lib/logs/follow-pino.js';
import { traceLogFields } from '../../../lib/logs/trace-log-fields.js';
import { recordWarnings } from '../../support/recorded-warnings.js';

const warnings = recordWarnings();

const SPAN = { trace_id: '0af7651916cd43dd8448eb211c80319c', span_id: 'b7ad6b7169203331', trace_flags: '01' };
const SECRET = 'hunter2';

describe('followPino()', () => {
  let emitted: LogLine[];
  let unfollow: () => void;
  let written: string[];

  beforeEach(() => {
    emitted = [];
    written = [];
    unfollow = followPino((line) => emitted.push(line));
  });
  afterEach(() => unfollow());

  const create = (options: LoggerOptions = {}): Logger<string> =>
    pino<string>(options as LoggerOptions<string>, { write: (line: string) => written.push(line) });
  const only = (): LogLine => {
    expect(emitted).toHaveLength(1);
    return emitted[0]!;
  };

  it.each([
    ['trace', 1],
    ['debug', 5],
    ['info', 9],
    ['warn', 13],
    ['error', 17],
    ['fatal', 21],
  ] as const)('has the severity of %s', (level, severityNumber) => {
    create({ level: 'trace' })[level]('message');
    expect(only()).toMatchObject({ severityNumber, severityText: level, body: 'message', attributes: {} });
  });

  it.each([
    ['between two levels', { audit: 35 }, 'audit', 11],
    ['of a known name', { notice: 32 }, 'notice', 10],
    ['above all levels', { panic: 1000 }, 'panic', 24],
    ['below all levels', { noise: 1 }, 'noise', 1],
  ])('has the severity of a level %s', (_what, customLevels, name, severityNumber) => {
    const logger = create({ level: name, customLevels }) as unknown as Record<string, () => void>;
    logger[name]!();
    expect(only()).toMatchObject({ severityNumber, severityText: name });
  });

  it('has an error of a driver by its type alone, since its message and fields quote values', () => {
    const error = Object.assign(new TypeError(`Duplicate entry '${SECRET}'`), { detail: `Key (name)=(${SECRET})` });
    withholdDetails(error);
    const logger = create();
    logger.error(error);
    logger.error({ err: error, order: { id: 7 } }, `not saved: ${error.message}`);
    logger.error({ cause: error, reason: error }, 'not saved');
    expect(written.join('')).toContain(SECRET);
    expect(JSON.stringify(emitted)).not.toContain(SECRET);
    expect(emitted.map(({ attributes, body }) => [body, attributes])).toEqual([
      ['TypeError', { 'exception.type': 'TypeError', err: 'TypeError' }],
      ['not saved: TypeError', { 'exception.type': 'TypeError', err: 'TypeError', order: { id: 7 } }],
      ['not saved', { reason: 'TypeError' }],
    ]);
  });

  it('leaves out what the level of the logger or of a child leaves out', () => {
    const logger = create({ level: 'warn' });
    logger.info('not written');
    logger.child({}, { level: 'error' }).warn('not written either');
    logger.warn('written');
    expect(emitted.map(({ body }) => body)).toEqual(['written']);
    expect(written).toHaveLength(1);
  });

  it('has the fields of the line: bindings, mixin, serializers, formatters and the values that are logged', () => {
    const logger = create({
      mixin: () => ({ tenant: 'blue' }),
      serializers: { order: ({ id }: { id: number }) => ({ id }) },
      formatters: { log: (fields) => ({ ...fields, added: true }) },
    }).child({ module: 'orders' });
    logger.info({ order: { id: 7, card: SECRET }, amount: 2.5 }, 'placed by %s', 'Ada');
    expect(only()).toMatchObject({
      body: 'placed by Ada',
      attributes: { module: 'orders', tenant: 'blue', order: { id: 7 }, amount: 2.5, added: true },
    });
    expect(JSON.stringify(emitted)).not.toContain(SECRET);
  });

  it.each<[string, LoggerOptions, (logger: Logger<string>) => void]>([
    ['a field', { redact: ['user.password'] }, (logger) => logger.info({ user: { password: SECRET } }, 'm')],
    ['a field that is removed', { redact: { paths: ['password'], remove: true } }, (l) => l.info({ password: SECRET })],
    ['a wildcard', { redact: ['*.token'] }, (logger) => logger.info({ a: { token: SECRET } }, 'm')],
    ['a binding', { redact: ['token'] }, (logger) => logger.child({ token: SECRET }).info('m')],
    ['the message', { redact: ['msg'] }, (logger) => logger.info(SECRET)],
    ['a value in the message', { redact: ['password'] }, (logger) => logger.info('%j', { password: SECRET })],
    ['by a child', {}, (logger) => logger.child({}, { redact: ['password'] }).info({ password: SECRET })],
    ['an error', { redact: ['err.config'] }, (l) => l.error(Object.assign(new Error('m'), { config: SECRET }))],
  ])('does not have what is redacted: %s', (_what, options, log) => {
    log(create(options));
    expect(written.join('')).not.toContain(SECRET);
    expect(JSON.stringify(only())).not.toContain(SECRET);
  });

  it('does not have the parts of a request that may have credentials', () => {
    const headers = { authorization: SECRET, cookie: SECRET };
    const logger = create({ serializers: { req: (req) => req, res: stdSerializers.res } });
    const response = {
      setHeader() {},
      statusCode: 200,
      headersSent: true,
      getHeaders: () => ({ 'set-cookie': SECRET }),
    };
    const req = { id: 1, method: 'GET', url: `/?key=${SECRET}`, query: { key: SECRET }, headers, remoteAddress: '::1' };
    logger.info({ req, res: response, responseTime: 3 }, 'request completed');
    expect(written.join('')).toContain(SECRET);
    expect(only().attributes).toEqual({ req: { id: 1, method: 'GET' }, res: { statusCode: 200 }, responseTime: 3 });
  });

  it('has an error as the semantic conventions have it', () => {
    const error = Object.assign(new RangeError('none left'), { code: 'E_STOCK' });
    create().error(error);
    create({ errorKey: 'failure' }).error({ failure: error }, 'cannot place');
    create().error({ err: 'a text' }, 'cannot place');
    const exception = {
      'exception.type': 'RangeError',
      'exception.message': 'none left',
      'exception.stacktrace': error.stack,
    };
    expect(emitted.map(({ attributes, body }) => [body, attributes])).toEqual([
      ['none left', { ...exception, err: { code: 'E_STOCK' } }],
      ['cannot place', { ...exception, failure: { code: 'E_STOCK' } }],
      ['cannot place', { err: 'a text' }],
    ]);
  });

  it('finds the message by the key of the logger, also if it is among the fields or beside a nested key', () => {
    create({ messageKey: 'message' }).info('one');
    create({ messageKey: 'text', nestedKey: 'payload' }).info({ a: 1 }, 'two');
    create().info({ msg: 'three' });
    create().info({ a: 1 });
    expect(emitted.map(({ attributes, body }) => [body, attributes])).toEqual([
      ['one', {}],
      ['two', { payload: { a: 1 } }],
      ['three', {}],
      [undefined, { a: 1 }],
    ]);
  });

  it('refers to the span that the line names, and keeps fields that name none', () => {
    create({ mixin: () => SPAN }).info('named');
    create().info({ trace_id: 'mine', span_id: 7 }, 'own');
    expect(emitted.map(({ attributes, spanContext }) => [spanContext, attributes])).toEqual([
      [{ traceId: SPAN.trace_id, spanId: SPAN.span_id, traceFlags: 1 }, {}],
      [undefined, { trace_id: 'mine', span_id: 7 }],
    ]);
  });

  it('has the message and the error of a very long line alone', () => {
    const error = new RangeError('none left');
    const req = { headers: { authorization: SECRET } };
    create({ serializers: { req: (given) => given } }).error({ long: 'x'.repeat(200_000), req, err: error }, 'm');
    const { attributes, body } = only();
    expect(body).toBe('m');
    expect(Object.keys(attributes)).toEqual(['exception.type', 'exception.message', 'exception.stacktrace']);
  });

  it('changes neither lines nor their order, nor what a stream gets', () => {
    const seen: unknown[][] = [];
    const log = () => {
      const lines: string[] = [];
      const stream = multistream([{ level: 'trace', stream: { write: (line: string) => lines.push(line) } }]);
      const logger = pino(
        { base: null, timestamp: false, level: 'debug', redact: ['a.b'], mixin: traceLogFields },
        stream,
      );
      logger.debug({ a: { b: 1, c: 2 } }, 'one %d', 1);
      logger.child({ x: 1 }, { level: 'trace' }).trace({}, 'two');
      logger.error(Object.assign(new Error('three'), { stack: 'here' }));
      const { lastLevel, lastMsg, lastObj } = stream as unknown as Record<string, unknown>;
      seen.push([...lines, lastLevel, lastMsg, lastObj]);
    };
    log();
    unfollow();
    log();
    expect(seen[0]).toEqual(seen[1]);
    expect(emitted.map(({ body }) => body)).toEqual(['one 1', 'two', 'three']);
  });

  it('lets the errors of serializers and streams reach the application, and exports no line that was not finished', () => {
    const error = new Error('serializer');
    const logger = create({
      serializers: {
        bad() {
          throw error;
        },
      },
    });
    expect(() => logger.info({ bad: 1 }, 'm')).toThrow(error);
    expect(emitted).toEqual([]);
    logger.info('after');
    expect(emitted).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  it('exports no line that a hook changes later, calls the hook once a line, and says so once', () => {
    const streamWrite = jest.fn((line: string) => line.replaceAll(SECRET, '***'));
    const logger = create({ hooks: { streamWrite } });
    logger.info(SECRET);
    logger.child({ a: 1 }).info(SECRET);
    expect(streamWrite).toHaveBeenCalledTimes(2);
    expect(written.join('')).not.toContain(SECRET);
    expect(emitted).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining('streamWrite')]);
  });

  it('keeps an error of its own from the application', () => {
    unfollow();
    unfollow = followPino(() => {
      throw new Error('export');
    });
    create().info('m');
    expect(written).toHaveLength(1);
    expect(warnings).toEqual([expect.stringContaining('export')]);
  });

  it('costs nothing once it has ended', () => {
    expect(channel('tracing:pino_asJson:end').hasSubscribers).toBe(true);
    unfollow();
    expect(channel('tracing:pino_asJson:end').hasSubscribers).toBe(false);
    create().info('m');
    expect(emitted).toEqual([]);
    expect(written).toHaveLength(1);
  });
});
