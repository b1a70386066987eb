import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { context as contextApi, ROOT_CONTEXT, SpanKind, trace, type Span } from '@opentelemetry/api';
import { ProtobufEncoder } from '../../../lib/export/otlp/protobuf-encoder.js';
import type { ReadableSpan, SpanProcessor } from '../../../lib/options/sdk-types.js';
import { alwaysOff } from '../../../lib/sampling/standard-samplers.js';
import { LibraryTracerProvider } from '../../../lib/tracer/tracer-provider.js';
import { createPipeline, KeptSpans } from '../../support/pipeline.js';
import { decodeOtlp, encodeOtlp } from '../../support/otlp-message.js';

type Changeable = { -readonly [Key in keyof ReadableSpan]: ReadableSpan[Key] };

/** Ends a span that has one of each part, and returns what the last processor receives. */
function finish(change: (span: Changeable & Span) => unknown, hook: 'onStart' | 'onEnding' | 'onEnd'): ReadableSpan {
  const kept = new KeptSpans();
  const changing: SpanProcessor = {
    onStart() {},
    onEnd() {},
    [hook]: change,
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const provider = new LibraryTracerProvider();
  provider.use(createPipeline([changing, kept]), undefined);
  const tracer = provider.getTracer('test', '1.0');
  const parent = tracer.startSpan('parent');
  const span = tracer.startSpan('work', { kind: SpanKind.CLIENT, attributes: { a: 1 } }, under(parent));
  span.addEvent('event', { b: 2 }).addLink({ context: parent.spanContext() });
  span.end();
  return kept.spans[0]!;
}

function under(span: Span) {
  return trace.setSpan(contextApi.active(), span);
}

function bytes(span: ReadableSpan): Buffer {
  return encodeOtlp(new ProtobufEncoder(), [span]);
}

describe('a span that a processor or an exporter of others receives', () => {
  it('has all parts as own properties, so that a copy is complete', async () => {
    const span = finish(() => {}, 'onEnd');
    const copy: ReadableSpan = { ...span, spanContext: () => span.spanContext() };
    expect(copy).toMatchObject({
      name: 'work',
      kind: SpanKind.CLIENT,
      attributes: { a: 1 },
      events: [{ name: 'event', attributes: { b: 2 } }],
      links: [{ context: span.parentSpanContext! }],
      status: { code: 0 },
      instrumentationScope: { name: 'test', version: '1.0' },
      resource: span.resource,
      startTime: span.startTime,
      endTime: span.endTime,
      parentSpanContext: span.parentSpanContext!,
    });
    // A copy is no span of the library any more, so this is the way of the encoder for spans of other tracers.
    const counts = { droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 };
    expect(decodeOtlp(bytes({ ...copy, ...counts }))).toEqual(decodeOtlp(bytes(span)));
  });

  it.each(['onEnding', 'onEnd'] as const)('can be changed by assignment in %s()', async (hook) => {
    const span = finish((it) => {
      it.name = 'changed';
      it.attributes = { changed: true };
      it.events = [];
      it.links = [];
      it.startTime = [1, 2];
      it.endTime = [3, 4];
      it.status.code = 2;
      it.status.message = 'slow';
    }, hook);
    expect(span).toMatchObject({ name: 'changed', attributes: { changed: true }, startTime: [1, 2], endTime: [3, 4] });
    const encoded = bytes(span).toString('latin1');
    expect(encoded).toContain('changed');
    expect(encoded).toContain('slow');
    expect(encoded).not.toContain('event');
    expect(finish(() => {}, hook).status).toEqual({ code: 0 });
  });

  it('keeps attributes that replace others when it starts', () => {
    expect(finish((it) => (it.attributes = { replaced: 1 }), 'onStart').attributes).toEqual({ replaced: 1 });
  });

  it('can be changed while it ends, and not afterwards', () => {
    const ending = finish((it) => it.setAttribute('late', 1).addEvent('late').updateName('late'), 'onEnding');
    expect(ending).toMatchObject({ name: 'late', attributes: { a: 1, late: 1 }, events: [{}, { name: 'late' }] });
    const ended = finish((it) => it.setAttribute('late', 1).addEvent('late').updateName('late'), 'onEnd');
    expect(ended).toMatchObject({ name: 'work', attributes: { a: 1 } });
    expect(ended.events).toHaveLength(1);
  });
});

describe('an object in place of a span', () => {
  const kept = new KeptSpans();
  const provider = new LibraryTracerProvider();
  provider.use(createPipeline([kept]), undefined);
  const tracer = provider.getTracer('test');

  it.each<[what: string, create: (span: Span) => Span]>([
    ['an object that inherits from it', (span) => Object.create(span) as Span],
    ['a proxy', (span) => new Proxy(span, {})],
    ['a wrapper', (span) => trace.wrapSpanContext(span.spanContext())],
    ['the frozen span', (span) => Object.freeze(span)],
  ])('is the parent of others: %s', (_, create) => {
    const span = tracer.startSpan('parent');
    const substitute = create(span);
    expect(substitute.spanContext()).toEqual(span.spanContext());
    const child = tracer.startSpan('child', {}, under(substitute));
    child.end();
    const { parentSpanContext } = kept.spans.at(-1)!;
    expect(parentSpanContext).toMatchObject({ spanId: span.spanContext().spanId, traceFlags: 1 });
    expect(child.spanContext().traceId).toBe(span.spanContext().traceId);
  });

  it('passes calls on to the span: a proxy', () => {
    const span = tracer.startSpan('behind a proxy');
    new Proxy(span, {}).setAttribute('a', 1).end();
    expect(kept.spans.at(-1)).toMatchObject({ name: 'behind a proxy', attributes: { a: 1 } });
    expect(span.isRecording()).toBe(false);
  });
});

describe('a span in a log', () => {
  const secret = 'Bearer of-the-exporter';
  const holder = { onStart() {}, onEnd() {}, headers: { authorization: secret } };
  const flush = { forceFlush: () => Promise.resolve(), shutdown: () => Promise.resolve() };
  const provider = new LibraryTracerProvider();
  provider.use(createPipeline([{ ...holder, ...flush }]), undefined);
  const span = provider.getTracer('test').startSpan('work', { attributes: { a: 1 } });

  it.each<[string, (value: unknown) => string]>([
    ['inspect()', (value) => inspect(value, { depth: 10 })],
    ['inspect() of a nested object', (value) => inspect({ request: { span: value } }, { depth: 10 })],
    ['JSON.stringify()', (value) => JSON.stringify(value)],
    ['JSON.stringify() of a nested object', (value) => JSON.stringify({ request: { span: value } })],
  ])('shows its parts, and nothing of the exporters: %s', (_, show) => {
    const shown = show(span);
    expect(shown).toContain(span.spanContext().traceId);
    expect(shown).toMatch(/"?name"?: ?['"]work['"]/);
    expect(shown).not.toContain(secret);
  });

  it('shows the ids of one that is not sampled', () => {
    const unsampled = new LibraryTracerProvider();
    unsampled.use(createPipeline([], { sampler: alwaysOff }), undefined);
    const shown = unsampled.getTracer('test').startSpan('work', {}, ROOT_CONTEXT);
    expect(() => JSON.stringify(shown) + inspect(shown)).not.toThrow();
    expect(shown.isRecording()).toBe(false);
  });
});
