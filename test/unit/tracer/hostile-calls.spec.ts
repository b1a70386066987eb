import { describe, expect, it } from '@jest/globals';
import {
  context as contextApi,
  isSpanContextValid,
  ROOT_CONTEXT,
  trace,
  type Context,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';
import { JsonEncoder } from '../../../lib/export/otlp/json-encoder.js';
import { ProtobufEncoder } from '../../../lib/export/otlp/protobuf-encoder.js';
import { spanSize } from '../../../lib/export/span-size.js';
import type { ReadableSpan, SpanProcessor } from '../../../lib/options/sdk-types.js';
import { guardSampler } from '../../../lib/sampling/guarded-sampler.js';
import { LibraryTracerProvider } from '../../../lib/tracer/tracer-provider.js';
import { createPipeline, KeptSpans } from '../../support/pipeline.js';
import { recordWarnings } from '../../support/recorded-warnings.js';
import { unhandledRejections } from '../../support/unhandled-rejections.js';
import { encodeOtlp } from '../../support/otlp-message.js';

const warnings = recordWarnings();

const thrower = {
  get broken(): never {
    throw new Error('hostile getter');
  },
};
const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;
const textless = Object.create(null) as object;
const revoked = Proxy.revocable({}, {});
revoked.revoke();

const IDS: SpanContext = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };

function start(...args: unknown[]): { span: Span; ended: readonly ReadableSpan[] } {
  const kept = new KeptSpans();
  const provider = new LibraryTracerProvider();
  provider.use(createPipeline([kept]), undefined);
  const tracer = provider.getTracer('test') as unknown as { startSpan(...args: unknown[]): Span };
  return { span: tracer.startSpan(...args), ended: kept.spans };
}

const noopProcessor: SpanProcessor = {
  onStart() {},
  onEnd() {},
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

/** Encodes a span as the exporters of the library do: one that fails would cost the whole batch. */
function encode(span: ReadableSpan): void {
  expect(spanSize(span)).toBeGreaterThan(0);
  const json = encodeOtlp(new JsonEncoder(), [span]);
  encodeOtlp(new ProtobufEncoder(), [span]);
  expect(() => JSON.parse(json.toString()) as unknown).not.toThrow();
}

describe('startSpan()', () => {
  it.each<[what: string, ...args: unknown[]]>([
    ['no arguments'],
    ['null everywhere', null, null, null],
    ['a symbol for a name', Symbol('name')],
    ['a name without a text', textless],
    ['a text for options', 'work', 'options'],
    ['options of null', 'work', { kind: null, attributes: null, links: null, root: null, startTime: null }],
    ['links that are a promise', 'work', { links: Promise.resolve([]) }],
    ['links that are null', 'work', { links: [null, undefined, {}, { context: null }] }],
    ['attributes that are cyclic', 'work', { attributes: { cyclic, list: [cyclic] } }],
    ['attributes with a getter that throws', 'work', { attributes: thrower }],
    ['attributes that are a revoked proxy', 'work', { attributes: revoked.proxy }],
    ['the name of a kind', 'work', { kind: 'SERVER' }],
    ['a parent with a trace state that is none', 'work', {}, below({ ...IDS, traceState: {} as never })],
    ['a parent without ids', 'work', {}, below({} as never)],
  ])('takes %s', async (_, ...args) => {
    const { span, ended } = start(...args);
    expect(span.isRecording()).toBe(true);
    expect(isSpanContextValid(span.spanContext())).toBe(true);
    span.end();
    expect(ended).toHaveLength(1);
    encode(ended[0]!);
  });

  it.each<[what: string, ...args: unknown[]]>([
    ['an object that is no context', 'work', {}, {}],
    ['a parent whose ids cannot be read', 'work', {}, trace.setSpan(ROOT_CONTEXT, { spanContext: fail } as never)],
    [
      'options with a getter that throws',
      'work',
      {
        get kind() {
          return fail();
        },
      },
    ],
  ])('returns a span that is not recorded for %s', (_, ...args) => {
    const { span } = start(...args);
    expect(span.isRecording()).toBe(false);
    expect(() => span.setAttribute('a', 1).addEvent('event').end()).not.toThrow();
    expect(warnings).toEqual([expect.stringContaining('Starting a span threw and was ignored')]);
  });

  it.each<[what: string, sampler: () => unknown]>([
    ['throws', fail],
    ['rejects', () => Promise.reject(new Error('hostile sampler'))],
    ['returns nothing', () => undefined],
    ['returns a decision that there is not', () => ({ decision: 7 })],
    ['returns attributes with a getter that throws', () => ({ decision: 2, attributes: thrower })],
    ['returns attributes of all wrong kinds', () => ({ decision: 2, attributes: { cyclic, ['']: 1, big: 1n } })],
  ])('survives a sampler that %s', async (_, shouldSample) => {
    const kept = new KeptSpans();
    const provider = new LibraryTracerProvider();
    const sampler = guardSampler({ shouldSample: shouldSample as never, toString: () => 'hostile' });
    provider.use(createPipeline([kept], { sampler }), undefined);
    const unhandled = await unhandledRejections(() => provider.getTracer('test').startSpan('work').end());
    expect(unhandled).toEqual([]);
  });
});

type UntypedSpan = Record<
  | 'setAttribute'
  | 'setAttributes'
  | 'addEvent'
  | 'addLink'
  | 'addLinks'
  | 'setStatus'
  | 'updateName'
  | 'recordException'
  | 'end',
  (...args: unknown[]) => unknown
>;

describe('a span', () => {
  it.each<[what: string, call: (span: UntypedSpan) => unknown]>([
    ['setAttribute() with a symbol', (span) => span.setAttribute(Symbol('key'), 1)],
    ['setAttribute() without arguments', (span) => span.setAttribute()],
    ['setAttribute() with a number', (span) => span.setAttribute(404, 'not found')],
    ['setAttribute() of the prototype', (span) => span.setAttribute('__proto__', ['a'])],
    ['setAttributes() with null', (span) => span.setAttributes(null)],
    ['setAttributes() with a text', (span) => span.setAttributes('text')],
    ['setAttributes() with a getter that throws', (span) => span.setAttributes(thrower)],
    ['addEvent() without arguments', (span) => span.addEvent()],
    ['addEvent() with a getter that throws', (span) => span.addEvent('event', thrower)],
    ['addEvent() with wrong arguments', (span) => span.addEvent(textless, Symbol('a'), 'b')],
    ['addLink() without arguments', (span) => span.addLink()],
    ['addLink() with a getter that throws', (span) => span.addLink({ context: IDS, attributes: thrower })],
    ['addLinks() with a promise', (span) => span.addLinks(Promise.resolve([]))],
    ['addLinks() without arguments', (span) => span.addLinks()],
    ['setStatus() without arguments', (span) => span.setStatus()],
    ['setStatus() with null', (span) => span.setStatus(null)],
    ['updateName() with a symbol', (span) => span.updateName(Symbol('name'))],
    ['recordException() without arguments', (span) => span.recordException()],
    ['recordException() with a getter that throws', (span) => span.recordException(brokenError())],
    [
      'recordException() of an object without a text',
      (span) => span.recordException({ code: textless, name: textless }),
    ],
    ['recordException() of a revoked proxy', (span) => span.recordException(revoked.proxy)],
    ['end() with a symbol', (span) => span.end(Symbol('now'))],
    ['end() with a date without an end', (span) => span.end(new Date(NaN))],
  ])('takes %s, and can be exported', async (_, call) => {
    const { span, ended } = start('work');
    expect(() => call(span as unknown as UntypedSpan)).not.toThrow();
    span.setAttribute('after', true);
    span.end();
    expect(ended).toHaveLength(1);
    expect(Object.getPrototypeOf(ended[0]!.attributes)).toBe(Object.prototype);
    encode(ended[0]!);
  });

  it('does not fail the application that freezes it', () => {
    const { span } = start('work');
    Object.freeze(span);
    expect(() => {
      span.setAttribute('a', 1).setAttributes({ b: 2 }).isRecording();
      span.end();
    }).not.toThrow();
    expect(isSpanContextValid(span.spanContext())).toBe(true);
    expect(warnings).toEqual([expect.stringContaining('Ending a span threw and was ignored')]);
  });
});

describe('a span processor', () => {
  function run(processor: Partial<SpanProcessor>): readonly ReadableSpan[] {
    const kept = new KeptSpans();
    const provider = new LibraryTracerProvider();
    const whole: SpanProcessor = { ...noopProcessor, ...processor };
    provider.use(createPipeline([whole, kept]), undefined);
    const span = provider.getTracer('test').startSpan('work');
    span.end();
    span.end();
    return kept.spans;
  }

  it.each(['onStart', 'onEnding', 'onEnd'] as const)('does not fail the application if %s() throws', (method) => {
    expect(run({ [method]: fail })).toHaveLength(1);
    expect(warnings).toEqual(['A span processor threw and was ignored: Error: hostile']);
  });

  it.each(['onStart', 'onEnding', 'onEnd'] as const)('does not end the process if %s() rejects', async (method) => {
    const unhandled = await unhandledRejections(() =>
      expect(run({ [method]: () => Promise.reject(new Error('hostile')) })).toHaveLength(1),
    );
    expect(unhandled).toEqual([]);
    expect(warnings).toEqual(['A span processor threw and was ignored: Error: hostile']);
  });

  it.each(['onStart', 'onEnding', 'onEnd'] as const)('can end a span in %s(), which is exported once', (method) => {
    expect(run({ [method]: (span: Span) => span.end() })).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  it('can end an early span once more when it starts', () => {
    const kept = new KeptSpans();
    const provider = new LibraryTracerProvider();
    provider.startBuffering();
    provider.getTracer('test').startSpan('work').end();
    const ending = { ...noopProcessor, onStart: (span: Span) => span.end() };
    provider.use(createPipeline([ending, kept]), undefined);
    expect(kept.spans).toHaveLength(1);
  });
});

function fail(): never {
  throw new Error('hostile');
}

function brokenError(): object {
  return Object.defineProperty(new Error('broken'), 'stack', { get: fail });
}

function below(spanContext: SpanContext): Context {
  return trace.setSpanContext(contextApi.active(), spanContext);
}
