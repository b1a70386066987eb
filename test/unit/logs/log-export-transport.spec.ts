import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import Transport from 'winston-transport';
import { config, createLogger, format, transports, type Logger, type LoggerOptions } from 'winston';
import type { RegisteredApplication } from '../../../lib/core/application-registry.js';
import type { LogLine } from '../../../lib/core/log-line.js';
import { withholdDetails } from '../../../lib/core/withheld-details.js';
import { applications, type LogExport } from '../../../lib/logs/applications.js';
import { LogExportTransport } from '../../../lib/logs/log-export-transport.js';
import { traceLogMeta } from '../../../lib/logs/trace-log-meta.js';
import { recordWarnings } from '../../support/recorded-warnings.js';
import { waitFor } from '../../support/wait-for.js';

const warnings = recordWarnings();
const SECRET = 'hunter2';

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager()));
afterAll(() => context.disable());

describe('LogExportTransport', () => {
  let emitted: LogLine[];
  let application: RegisteredApplication<LogExport>;
  let written: string[];

  beforeEach(() => {
    emitted = [];
    written = [];
    application = applications.add({ emit: (line) => emitted.push(line) });
  });
  afterEach(() => application.remove());

  function create(options: LoggerOptions = {}, transport = new LogExportTransport()): Logger {
    const stream = new PassThrough();
    stream.on('data', (chunk) => written.push(String(chunk)));
    return createLogger({ ...options, transports: [new transports.Stream({ stream }), transport] });
  }
  const contents = () => emitted.map(({ attributes, body }) => [body, attributes]);

  it.each([
    ['npm', config.npm.levels, { error: 17, warn: 13, info: 9, http: 7, verbose: 6, debug: 5, silly: 1 }],
    [
      'syslog',
      config.syslog.levels,
      { emerg: 21, alert: 19, crit: 18, error: 17, warning: 13, notice: 10, info: 9, debug: 5 },
    ],
    ['the application', { loud: 0, quiet: 1 }, { loud: undefined, quiet: undefined }],
  ])('has the severities of the levels of %s', (_of, levels, expected) => {
    const logger = create({ levels, level: Object.keys(levels).at(-1)! });
    for (const level of Object.keys(levels)) logger.log(level, 'm');
    const seen = emitted.map(({ severityNumber, severityText }) => [severityText, severityNumber]);
    expect(seen).toEqual(Object.entries(expected));
  });

  it('has an error of a driver by its type alone, since its message and fields quote values', () => {
    const error = Object.assign(new TypeError(`Duplicate entry '${SECRET}'`), { detail: `Key (name)=(${SECRET})` });
    withholdDetails(error);
    const logger = create({ format: format.json() });
    logger.error('not saved', error);
    logger.error('not saved', { reason: error, order: 7 });
    expect(written.join('')).toContain(SECRET);
    expect(JSON.stringify(emitted)).not.toContain(SECRET);
    expect(contents()).toEqual([
      ['not saved TypeError', {}],
      ['not saved', { reason: 'TypeError', order: 7 }],
    ]);
  });

  it('leaves out what the level of the logger leaves out, or its own, and what it is silent about', () => {
    const own = new LogExportTransport({ level: 'error' });
    create().debug('below the level of the logger');
    create({ level: 'silly' }, own).warn('below its own level');
    own.level = 'warn';
    const logger = create({ level: 'silly' }, new LogExportTransport());
    logger.silly('written');
    logger.transports[1]!.silent = true;
    logger.error('silent');
    const quiet = create();
    quiet.silent = true;
    quiet.error('silent');
    expect(emitted.map(({ body }) => body)).toEqual(['written']);
  });

  it('has the fields of a line in JSON: those of a child, of the call, and of defaultMeta', () => {
    create({ defaultMeta: { team: 'blue' } })
      .child({ module: 'orders' })
      .info('placed', { order: { id: 7 } });
    expect(contents()).toEqual([['placed', { team: 'blue', module: 'orders', order: { id: 7 } }]]);
  });

  it.each<[string, LoggerOptions['format']]>([
    ['a format', format.combine(format((info) => ({ ...info, password: '***' }))(), format.json())],
    ['the replacer of JSON', format.json({ replacer: (key, value) => (key === 'password' ? '***' : value) })],
    ['a text that leaves it out', format.printf(({ message }) => `> ${String(message)}`)],
  ])('does not have what is redacted by %s', (_by, given) => {
    create({ format: given! }).info('m', { password: SECRET });
    expect(written.join('')).not.toContain(SECRET);
    expect(emitted).toHaveLength(1);
    expect(JSON.stringify(emitted)).not.toContain(SECRET);
  });

  it('has the text of a line that is no JSON, without colors, unless it has a format of its own', () => {
    const colored = format.combine(format.colorize({ colors: { info: 'green' } }), format.simple());
    create({ format: colored }).info('placed', { id: 7 });
    create({ format: colored }, new LogExportTransport({ format: format.json() })).info('placed', { id: 7 });
    expect(written.join('')).toContain('\u001b[');
    expect(contents()).toEqual([
      ['info: placed {"id":7}', {}],
      ['placed', { id: 7 }],
    ]);
    expect(emitted.map(({ severityText }) => severityText)).toEqual(['info', 'info']);
  });

  it('has the message alone if no format finishes a line, and nothing if its format drops the entry', () => {
    create({ format: format.timestamp() }).info('m', { password: SECRET });
    create({}, new LogExportTransport({ format: format(() => false)() })).info('dropped');
    expect(contents()).toEqual([['m', {}]]);
  });

  it('has the stack of an error', () => {
    const error = new RangeError('none left');
    create({ format: format.combine(format.errors({ stack: true }), format.json()) }).error(error);
    create().error('by nest-winston', { context: 'Orders', stack: [error.stack] });
    create().error('by nest-winston', { context: 'Orders', stack: [undefined] });
    expect(contents()).toEqual([
      ['none left', { 'exception.stacktrace': error.stack }],
      ['by nest-winston', { context: 'Orders', 'exception.stacktrace': error.stack }],
      ['by nest-winston', { context: 'Orders' }],
    ]);
  });

  it('does not change the lines, nor the entry that other transports get', () => {
    const seen: object[] = [];
    const last = new Transport({ log: (entry: object, next) => (seen.push({ ...entry }), next()) });
    const own = format((info) => Object.assign(info, { added: true }));
    create({}, new LogExportTransport({ format: own() }))
      .add(last)
      .info('m');
    expect(seen).toEqual([expect.objectContaining({ level: 'info', message: 'm' })]);
    expect(seen[0]).not.toHaveProperty('added');
  });

  it('does nothing without an application that exports, and keeps its own errors from the logger', async () => {
    application.remove();
    const logger = create();
    logger.info('unheard');
    application = applications.add({
      emit() {
        throw new Error('export');
      },
    });
    logger.info('m');
    expect(warnings).toEqual([expect.stringContaining('export')]);
    expect(written).toHaveLength(2);
    logger.end();
    await once(logger, 'finish');
  });

  it('lets no other transport decide about the span: traceLogMeta() is read when something is logged', async () => {
    const slow = new Transport({ log: (_entry, next) => void setImmediate(next) });
    const logger = create({ defaultMeta: traceLogMeta({ team: 'blue' }), format: format.json() });
    logger.add(slow);
    const spanContexts = Array.from({ length: 100 }, (_, index) => ({
      traceId: `${index + 1}`.padStart(32, '0'),
      spanId: `${index + 1}`.padStart(16, '0'),
      traceFlags: 1,
    }));
    for (const spanContext of spanContexts) {
      context.with(trace.setSpanContext(ROOT_CONTEXT, spanContext), () => logger.info('m'));
    }
    await waitFor({ expected: 'all entries', look: () => emitted.length === spanContexts.length });
    expect(emitted.map(({ spanContext }) => spanContext)).toEqual(spanContexts);
    const ids = written.map((line) => (JSON.parse(line) as Record<string, unknown>).trace_id);
    expect(ids).toEqual(spanContexts.map(({ traceId }) => traceId));
    expect(emitted[0]?.attributes).toEqual({ team: 'blue' });
  });
});

describe('traceLogMeta()', () => {
  it('adds nothing to a line outside of a span', () => {
    expect(JSON.stringify(traceLogMeta({ team: 'blue' }))).toBe('{"team":"blue"}');
    expect(JSON.stringify(traceLogMeta())).toBe('{}');
  });
});
