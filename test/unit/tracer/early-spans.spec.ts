import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import { contextManager } from '../../../lib/core/context-manager.js';
import { suppressTracing } from '../../../lib/core/suppression.js';
import type { ReadableSpan, Sampler } from '../../../lib/options/sdk-types.js';
import { alwaysOff, parentBased, ratioSampler } from '../../../lib/sampling/standard-samplers.js';
import type { Pipeline } from '../../../lib/tracer/pipeline.js';
import type { SpanLimits } from '../../../lib/tracer/span-limits.js';
import { LibraryTracerProvider } from '../../../lib/tracer/tracer-provider.js';
import { createPipeline, KeptSpans } from '../../support/pipeline.js';

beforeAll(() => {
  context.setGlobalContextManager(contextManager);
});
afterAll(() => {
  context.disable();
});

let provider: LibraryTracerProvider;
let kept: KeptSpans;
beforeEach(() => {
  provider = new LibraryTracerProvider();
  kept = new KeptSpans();
  provider.startBuffering();
});

function pipeline(options: { sampler?: Sampler; limits?: Partial<SpanLimits> } = {}): Pipeline {
  return createPipeline([kept], options);
}

/** Gives the provider its options. Returns the number of spans that were dropped. */
function use(target = pipeline()): number {
  return provider.use(target, undefined);
}

function exported(name: string): ReadableSpan {
  const found = kept.spans.filter((span) => span.name === name);
  expect(found).toHaveLength(1);
  return found[0]!;
}

const milliseconds = ([seconds, nanoseconds]: [number, number]) => seconds * 1e3 + nanoseconds / 1e6;

describe('the tracer provider before the options are known', () => {
  it('keeps all calls on a span', () => {
    const tracer = provider.getTracer('app', '1.0');
    const linked = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: TraceFlags.SAMPLED };
    const span = tracer.startSpan('first name', {
      kind: SpanKind.CLIENT,
      attributes: { given: 1 },
      links: [{ context: linked }],
    });
    span
      .setAttribute('one', 1)
      .setAttributes({ two: 2 })
      .addEvent('happened', { how: 'well' })
      .addLink({ context: linked })
      .addLinks([{ context: linked, attributes: { why: 'so' } }])
      .setStatus({ code: SpanStatusCode.ERROR, message: 'no' })
      .updateName('last name');
    span.recordException(new TypeError('it broke'));
    span.end();
    use();

    const found = exported('last name');
    expect(found).toMatchObject({
      kind: SpanKind.CLIENT,
      attributes: { given: 1, one: 1, two: 2 },
      status: { code: SpanStatusCode.ERROR, message: 'no' },
      instrumentationScope: { name: 'app', version: '1.0' },
      links: [{ context: linked }, { context: linked }, { context: linked, attributes: { why: 'so' } }],
    });
    expect(found.events).toMatchObject([
      { name: 'happened', attributes: { how: 'well' } },
      { name: 'exception', attributes: { 'exception.type': 'TypeError', 'exception.message': 'it broke' } },
    ]);
  });

  it('keeps the ids and parents that were handed out', () => {
    const tracer = provider.getTracer('app');
    tracer.startActiveSpan('parent', (parent) => {
      const child = tracer.startSpan('child');
      const root = tracer.startSpan('root', { root: true });
      expect(trace.getActiveSpan()).toBe(parent);
      for (const span of [child, root, parent]) {
        expect(isSpanContextValid(span.spanContext())).toBe(true);
        span.end();
      }
      const before = [parent, child, root].map((span) => span.spanContext());
      use();
      expect([parent, child, root].map((span) => span.spanContext())).toEqual(before);
      expect(['parent', 'child', 'root'].map((name) => exported(name).spanContext())).toEqual(before);
    });
    const [parent, child, root] = ['parent', 'child', 'root'].map(exported);
    expect(child?.parentSpanContext?.spanId).toBe(parent?.spanContext().spanId);
    expect(child?.spanContext().traceId).toBe(parent?.spanContext().traceId);
    expect(root?.parentSpanContext).toBeUndefined();
    expect(root?.spanContext().traceId).not.toBe(parent?.spanContext().traceId);
  });

  it('continues the trace of a remote parent', () => {
    const remote = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceFlags: TraceFlags.SAMPLED, isRemote: true };
    provider.getTracer('app').startSpan('joined', {}, trace.setSpanContext(ROOT_CONTEXT, remote)).end();
    use();
    expect(exported('joined').parentSpanContext).toEqual(remote);
    expect(exported('joined').spanContext().traceId).toBe(remote.traceId);
  });

  it('keeps the times of the calls', async () => {
    const tracer = provider.getTracer('app');
    const before = Date.now();
    const span = tracer.startSpan('work');
    await new Promise((resolve) => setTimeout(resolve, 15));
    span.addEvent('half-way');
    span.recordException('it broke');
    await new Promise((resolve) => setTimeout(resolve, 15));
    span.end();
    const after = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 15));
    use();

    const { startTime, endTime, events, duration } = exported('work');
    expect(milliseconds(startTime)).toBeGreaterThanOrEqual(before);
    expect(milliseconds(endTime)).toBeLessThan(after + 2);
    expect(milliseconds(duration)).toBeGreaterThan(28);
    for (const { time } of events) {
      expect(milliseconds(time) - milliseconds(startTime)).toBeGreaterThan(13);
      expect(milliseconds(endTime) - milliseconds(time)).toBeGreaterThan(13);
    }
  });

  it('keeps times that were given', () => {
    const span = provider.getTracer('app').startSpan('work', { startTime: new Date(1000) });
    span.addEvent('by date', new Date(2000)).addEvent('by number', { a: 1 }, 3_000_000_000_000);
    span.recordException('it broke', [4, 500_000_000]);
    span.end(new Date(5000));
    use();
    expect(exported('work')).toMatchObject({
      startTime: [1, 0],
      endTime: [5, 0],
      events: [{ time: [2, 0] }, { time: [3_000_000_000, 0], attributes: { a: 1 } }, { time: [4, 500_000_000] }],
    });
  });

  it('goes on with a span that has not ended', () => {
    const tracer = provider.getTracer('app');
    tracer.startActiveSpan('parent', (parent) => {
      parent.setAttribute('said', 'early');
      use();
      expect(parent.isRecording()).toBe(true);
      parent.setAttribute('heard', 'late');
      const child = tracer.startSpan('child');
      child.end();
      parent.end();
      expect(parent.isRecording()).toBe(false);
    });
    const [parent, child] = [exported('parent'), exported('child')];
    expect(parent.attributes).toEqual({ said: 'early', heard: 'late' });
    expect(child.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    expect(milliseconds(child.startTime)).toBeGreaterThanOrEqual(milliseconds(parent.startTime));
    expect(milliseconds(parent.endTime)).toBeGreaterThanOrEqual(milliseconds(child.endTime));
  });

  it('records attributes as they were at the call', () => {
    const attributes = { state: 'then', list: 'kept' };
    const span = provider.getTracer('app').startSpan('work', { attributes });
    span.setAttributes(attributes).addEvent('happened', attributes);
    attributes.state = 'now';
    span.end();
    use();
    expect(exported('work').attributes.state).toBe('then');
    expect(exported('work').events[0]?.attributes?.state).toBe('then');
  });

  it('ignores calls on a span that has ended', () => {
    const span = provider.getTracer('app').startSpan('work');
    span.end(new Date(4_000_000_000_000));
    expect(span.isRecording()).toBe(false);
    span.setAttribute('late', true).updateName('other').addEvent('late');
    span.end();
    use();
    expect(exported('work')).toMatchObject({ attributes: {}, events: [], endTime: [4_000_000_000, 0] });
  });

  it('supports every form of startActiveSpan(), and returns the result of the function', () => {
    const tracer = provider.getTracer('app');
    const remote = trace.setSpanContext(ROOT_CONTEXT, {
      traceId: 'c'.repeat(32),
      spanId: 'd'.repeat(16),
      traceFlags: TraceFlags.SAMPLED,
    });
    expect(tracer.startActiveSpan('a', (span) => (span.end(), 1))).toBe(1);
    expect(tracer.startActiveSpan('b', { attributes: { b: 2 } }, (span) => (span.end(), 2))).toBe(2);
    expect(tracer.startActiveSpan('c', {}, remote, (span) => (span.end(), 3))).toBe(3);
    use();
    expect(exported('b').attributes).toEqual({ b: 2 });
    expect(exported('c').spanContext().traceId).toBe('c'.repeat(32));
  });

  it.each<[string, Sampler]>([
    ['off', alwaysOff],
    ['ratio 0', parentBased(ratioSampler(0))],
  ])('uses the sampler of the provider: %s', (_, sampler) => {
    const tracer = provider.getTracer('app');
    const parent = tracer.startSpan('parent');
    const child = tracer.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, parent));
    child.end();
    const ids = parent.spanContext();
    use(pipeline({ sampler }));
    parent.end();
    expect(kept.spans).toEqual([]);
    expect(parent.isRecording()).toBe(false);
    // Outgoing requests from now on carry the decision, under the same ids.
    expect(parent.spanContext()).toMatchObject({ ...ids, traceFlags: TraceFlags.NONE });
  });

  it('applies the limit of texts to the message of a status', () => {
    const span = provider.getTracer('app').startSpan('work');
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'x'.repeat(100) });
    use(pipeline({ limits: { attributes: { count: 2, valueLength: 10 } } }));
    span.end();
    expect(exported('work').status).toEqual({ code: SpanStatusCode.ERROR, message: 'x'.repeat(10) });
  });

  it('applies the limits of the provider', () => {
    const span = provider.getTracer('app').startSpan('work', { attributes: { a: 'x'.repeat(100) } });
    span.setAttributes({ b: 1, c: 2 }).addEvent('one').addEvent('two');
    span.end();
    use(pipeline({ limits: { attributes: { count: 2, valueLength: 10 }, eventCount: 1 } }));
    expect(exported('work').attributes).toEqual({ a: 'x'.repeat(10), b: 1 });
    expect(exported('work').events.map(({ name }) => name)).toEqual(['two']);
  });

  it('buffers nothing if tracing is suppressed', () => {
    const suppressed = suppressTracing(ROOT_CONTEXT);
    const span = provider.getTracer('app').startSpan('work', {}, suppressed);
    expect(isSpanContextValid(span.spanContext())).toBe(false);
    span.end();
    use();
    expect(kept.spans).toEqual([]);
  });

  it('buffers a bounded number of spans, counts the others, and passes the trace on below them', () => {
    const tracer = provider.getTracer('app');
    const parent = tracer.startSpan('parent');
    const beneath = trace.setSpan(ROOT_CONTEXT, parent);
    for (let i = 0; i < 3000; i++) tracer.startSpan('child', {}, beneath).end();
    const lost = tracer.startSpan('lost', {}, beneath);
    expect(lost.isRecording()).toBe(false);
    expect(lost.spanContext()).toEqual(parent.spanContext());
    expect(use()).toBe(3002 - 2048);
    expect(kept.spans).toHaveLength(2047);
    expect(use()).toBe(0);
  });

  it('records a bounded number of events and attributes on a span, and its end', () => {
    const span = provider.getTracer('app').startSpan('chatty');
    for (let i = 0; i < 5000; i++) span.addEvent(`event ${i}`).setAttribute(`key ${i}`, i);
    span.end();
    use(pipeline({ limits: { attributes: { count: 4000, valueLength: 10 }, eventCount: 4000 } }));
    expect(exported('chatty').events).toHaveLength(1024);
    expect(exported('chatty').events.at(-1)!.name).toBe('event 4999');
    expect(Object.keys(exported('chatty').attributes)).toHaveLength(1024);
    expect(exported('chatty')).toMatchObject({ droppedEventsCount: 3976, droppedAttributesCount: 3976, ended: true });
  });

  it('passes the spans of one tracer on to each provider', () => {
    const tracer = provider.getTracer('app');
    for (const name of ['first', 'second']) {
      provider.startBuffering();
      tracer.startSpan(`${name}, early`).end();
      use();
      tracer.startSpan(`${name}, late`).end();
      provider.discardBuffered();
      const after = tracer.startSpan(`${name}, after`);
      expect(after.isRecording()).toBe(false);
      after.end();
    }
    expect(kept.spans.map(({ name }) => name)).toEqual([
      'first, early',
      'first, late',
      'second, early',
      'second, late',
    ]);
  });

  it('does not export the spans of a start that failed', () => {
    const tracer = provider.getTracer('app');
    tracer.startSpan('of the first').end();
    provider.startBuffering();
    provider.startBuffering();
    tracer.startSpan('of the second').end();
    use();
    expect(kept.spans.map(({ name }) => name)).toEqual(['of the second']);
  });

  it('exports the spans of a start whose options are known later', () => {
    const tracer = provider.getTracer('app');
    tracer.startSpan('of the first').end();
    provider.startBuffering();
    tracer.startSpan('of the second').end();
    const shared = pipeline();
    use(shared);
    use(shared);
    expect(kept.spans.map(({ name }) => name)).toEqual(['of the second', 'of the first']);
  });

  it('discards the spans of an earlier start if the buffer is full', () => {
    const tracer = provider.getTracer('app');
    for (let i = 0; i < 2048; i++) tracer.startSpan('of the first').end();
    provider.startBuffering();
    tracer.startSpan('of the second').end();
    expect(use()).toBe(0);
    expect(kept.spans.map(({ name }) => name)).toEqual(['of the second']);
  });

  it('buffers nothing unless an application is starting', () => {
    provider.discardBuffered();
    const span = provider.getTracer('app').startSpan('work');
    expect(span.isRecording()).toBe(false);
    span.end();
    provider.startBuffering();
    use();
    expect(kept.spans).toEqual([]);
  });
});
