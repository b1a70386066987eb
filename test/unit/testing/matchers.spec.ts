import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SpanKind, SpanStatusCode, TraceFlags, type Attributes } from '@opentelemetry/api';
import { TraceRecorder, tracingMatchers } from 'nestjs-tracing/testing';
import type { ReadableSpan } from '../../../lib/options/sdk-types.js';
import { partsOf } from '../../../lib/testing/trace-recorder.js';

beforeAll(() => expect.extend(tracingMatchers));

let recorder: TraceRecorder;
let count: number;
beforeEach(() => {
  recorder = new TraceRecorder();
  count = 0;
});

interface Given {
  kind?: SpanKind;
  failed?: boolean;
  attributes?: Attributes;
  exception?: [type: string, message: string];
  parent?: ReadableSpan;
}

/** Records a span that has started. */
function open(name: string, { attributes = {}, exception, failed, kind = SpanKind.INTERNAL, parent }: Given = {}) {
  const id = String(++count);
  const spanContext = {
    traceId: parent?.spanContext().traceId ?? id.padStart(32, 'a'),
    spanId: id.padStart(16, '0'),
    traceFlags: TraceFlags.SAMPLED,
  };
  const [type, message] = exception ?? [];
  const span = {
    name,
    kind,
    status: { code: failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes,
    events: exception
      ? [{ name: 'exception', time: [0, 0], attributes: { 'exception.type': type, 'exception.message': message } }]
      : [],
    links: [],
    startTime: [0, 0],
    duration: [0, 0],
    spanContext: () => spanContext,
    parentSpanContext: parent?.spanContext(),
  } as unknown as ReadableSpan;
  partsOf(recorder)!.store.start(span);
  return span;
}

function ended(name: string, given?: Given): ReadableSpan {
  const span = open(name, given);
  partsOf(recorder)!.store.end(span);
  return span;
}

/** Records a request for a cat, which fails if there is an exception. */
function recordRequest(exception?: [string, string]): void {
  const failed = exception !== undefined;
  const attributes = { 'http.response.status_code': failed ? 404 : 200 };
  const request = ended('GET /cats/:id', { kind: SpanKind.SERVER, attributes });
  const handler = ended('CatsController.one', { parent: request, failed });
  ended('CatsService.find', { parent: handler, failed, exception, attributes: { 'cat.id': '7' } });
  ended('log', { parent: request });
}

function messageOf(check: () => void): string {
  try {
    check();
  } catch (error) {
    // Jest colours its differences.
    // oxlint-disable-next-line no-control-regex
    return (error as Error).message.replace(/\u001b\[\d+m/g, '');
  }
  throw new Error('The matcher has passed.');
}

describe('toHaveTrace() with a text', () => {
  it('passes for the very tree, however it is indented', () => {
    ended('another trace');
    recordRequest();
    expect(recorder).toHaveTrace(`
      GET /cats/:id SERVER
        CatsController.one
            CatsService.find
        log
    `);
    expect(recorder).toHaveTrace(recorder.trees()[1]!);
    expect(recorder).toHaveTrace('another trace');
  });

  it('passes for failures and attributes', () => {
    recordRequest(['NotFoundException', 'no such cat\nof that name']);
    const attributes = ['http.response.status_code', 'cat.id'];
    expect(recorder).toHaveTrace(
      `
      GET /cats/:id  SERVER  http.response.status_code=404
        ✗ CatsController.one
          ✗ CatsService.find  NotFoundException: no such cat…  cat.id=7
        log
      `,
      { attributes },
    );
  });

  it.each([
    ['a span is missing', 'GET /cats/:id SERVER\n  CatsController.one\n    CatsService.find'],
    ['a span is somewhere else', 'GET /cats/:id SERVER\n  CatsController.one\n    CatsService.find\n    log'],
    ['the order differs', 'GET /cats/:id SERVER\n  log\n  CatsController.one\n    CatsService.find'],
    ['the kind differs', 'GET /cats/:id\n  CatsController.one\n    CatsService.find\n  log'],
    ['only a part is expected', 'CatsController.one\n  CatsService.find'],
    ['nothing is expected', ''],
  ])('fails if %s', (_, text) => {
    recordRequest();
    expect(recorder).not.toHaveTrace(text);
  });

  it('shows the difference to the closest trace', () => {
    ended('another trace');
    recordRequest();
    open('poll');
    const check = () =>
      expect(recorder).toHaveTrace(`
        GET /cats/:id SERVER
          CatsController.all
          log
      `);
    expect(messageOf(check)).toBe(
      [
        'The recorded trace differs from the expected one. This is the closest of 3:',
        '',
        '- Expected',
        '+ Received',
        '',
        '  GET /cats/:id  SERVER',
        '-   CatsController.all',
        '+   CatsController.one',
        '+     CatsService.find',
        '    log',
        '',
        'Spans that have not ended: poll. Await settled() of the recorder before you compare.',
      ].join('\n'),
    );
  });

  it('says what was expected if nothing was recorded', () => {
    const message = messageOf(() => expect(recorder).toHaveTrace('  GET /\n    get'));
    expect(message).toMatch(/^No span was recorded\..*\nExpected was:\n\nGET \/\n {2}get$/s);
  });

  it('shows the trace that must not be there', () => {
    ended('x');
    expect(messageOf(() => expect(recorder).not.toHaveTrace('  x'))).toBe(
      'There is a trace that is not expected:\n\nx\n',
    );
  });
});

describe('toHaveTrace() with properties', () => {
  it('compares those that are given', () => {
    recordRequest(['NotFoundException', 'no such cat']);
    expect(recorder).toHaveTrace({ name: 'GET /cats/:id' });
    expect(recorder).toHaveTrace({
      name: /^GET/g,
      kind: 'SERVER',
      status: 'UNSET',
      attributes: { 'http.response.status_code': expect.any(Number), 'http.route': undefined },
      children: [
        {
          name: 'CatsController.one',
          status: 'ERROR',
          children: [{ name: /find$/, exception: /no such/, children: [] }],
        },
        { name: 'log' },
      ],
    });
  });

  it.each([
    ['name', { name: 'GET /dogs/:id' }],
    ['kind', { name: /cats/, kind: 'CLIENT' as const }],
    ['status', { name: /cats/, status: 'OK' as const }],
    ['exception', { name: /cats/, exception: 'Error: x' }],
    ['attribute', { name: /cats/, attributes: { 'http.response.status_code': '200' } }],
    ['type of an attribute', { name: 'log', attributes: { port: 80 } }],
    ['attribute that must be missing', { name: /cats/, attributes: { 'http.response.status_code': undefined } }],
    ['number of children', { name: /cats/, children: [] }],
  ])('fails for another %s', (_, expected) => {
    recordRequest();
    ended('log', { attributes: { port: '80' } });
    expect(recorder).not.toHaveTrace(expected);
  });

  it('shows only what differs', () => {
    recordRequest(['NotFoundException', 'no such cat']);
    const check = () =>
      expect(recorder).toHaveTrace({
        name: /^GET/,
        status: 'UNSET',
        attributes: { 'http.response.status_code': 404 },
        children: [
          {
            name: 'CatsController.one',
            children: [{ name: /^Cats/, attributes: { 'cat.id': expect.stringMatching(/8/) } }],
          },
        ],
      });
    expect(messageOf(check)).toBe(
      [
        'The recorded trace differs from the expected one.',
        '',
        '- Expected',
        '+ Received',
        '',
        '  GET /cats/:id  http.response.status_code=404  status=UNSET',
        '    CatsController.one',
        '-     CatsService.find  cat.id=StringMatching</8/>',
        '+     CatsService.find  cat.id=7',
        '+   log',
      ].join('\n'),
    );
  });

  it('fails for a second root in the trace', () => {
    const first = ended('first');
    partsOf(recorder)!.store.reset();
    ended('second', { parent: first });
    ended('third', { parent: first });
    expect(recorder).not.toHaveTrace({ name: 'second' });
    expect(recorder).toHaveTrace('second\nthird');
  });

  it('fails for a span that has not ended', () => {
    open('poll');
    expect(recorder).not.toHaveTrace({ name: 'poll' });
    expect(recorder).not.toHaveTrace('poll');
  });
});

describe('toHaveNoOpenSpans()', () => {
  it('passes if all spans have ended', () => {
    expect(recorder).toHaveNoOpenSpans();
    recordRequest();
    expect(recorder).toHaveNoOpenSpans();
    expect(messageOf(() => expect(recorder).not.toHaveNoOpenSpans())).toBe(
      'All spans have ended, or none has started.',
    );
  });

  it('shows the traces of those that have not', () => {
    ended('another trace');
    const request = open('GET /', { kind: SpanKind.SERVER });
    ended('handler', { parent: request });
    expect(recorder).not.toHaveNoOpenSpans();
    expect(messageOf(() => expect(recorder).toHaveNoOpenSpans())).toBe(
      'Spans marked with … have not ended:\n\n… GET /  SERVER\n  handler\n',
    );
  });
});

it.each([undefined, {}, 'GET /'])('matchers refuse %p', (received) => {
  expect(() => expect(received).toHaveTrace('GET /')).toThrow('toHaveTrace() needs a TraceRecorder');
  expect(() => expect(received).toHaveNoOpenSpans()).toThrow(TypeError);
});

it('a recorder refuses a time that is none', () => {
  expect(() => new TraceRecorder({ time: new Date('yesterday') })).toThrow('Tracing option "time" is "Invalid Date".');
});
