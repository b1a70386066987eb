import { describe, expect, it } from '@jest/globals';
import {
  context,
  createTraceState,
  ROOT_CONTEXT,
  SamplingDecision,
  SpanKind,
  trace,
  type Context,
  type SpanContext,
} from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import { createPropagator } from '../../../lib/sdk/propagators.js';
import { withTraceBeginnings } from '../../../lib/sampling/trace-beginnings.js';
import { read, SPAN, TRACE, write } from '../propagation/messages.js';

const propagator = createPropagator(['tracecontext', 'b3']);
const on = new AlwaysOnSampler();
const off = new AlwaysOffSampler();

function start(sampler: Sampler, within: Context, kind = SpanKind.SERVER): SpanContext {
  const provider = new TracerProvider({
    sampler: withTraceBeginnings(sampler),
    spanProcessors: [new SimpleSpanProcessor({ exporter: new InMemorySpanExporter() })],
  });
  return provider.getTracer('test').startSpan('work', { kind }, within).spanContext();
}

const sent = (span: SpanContext) => write(propagator, trace.setSpanContext(ROOT_CONTEXT, span));

describe('the flag of a random trace id', () => {
  it.each([
    ['sampled', on, '03'],
    ['not sampled', off, '02'],
  ])('is set where a trace begins, and for its children: %s', (_, sampler, flags) => {
    const root = start(sampler, ROOT_CONTEXT, SpanKind.INTERNAL);
    const child = start(new ParentBasedSampler({ root: off }), trace.setSpanContext(ROOT_CONTEXT, root));
    for (const span of [root, child]) {
      expect(sent(span)).toEqual({
        traceparent: `00-${root.traceId}-${span.spanId}-${flags}`,
        b3: `${root.traceId}-${span.spanId}-${flags[1] === '3' ? '1' : '0'}`,
      });
      // Some receivers compare all flags with 01.
      expect(span.traceFlags).toBe(flags === '03' ? 1 : 0);
    }
  });

  it.each([
    ['00', on, '01'],
    ['01', on, '01'],
    ['02', on, '03'],
    ['03', on, '03'],
    ['03', off, '02'],
    ['01', off, '00'],
  ])('of a caller is kept: %s', (came, sampler, goes) => {
    const span = start(sampler, read(propagator, { traceparent: `00-${TRACE}-${SPAN}-${came}`, tracestate: 'a=1' }));
    const child = start(sampler, trace.setSpanContext(ROOT_CONTEXT, span));
    expect(sent(span)).toMatchObject({ traceparent: `00-${TRACE}-${span.spanId}-${goes}`, tracestate: 'a=1' });
    expect(sent(child)).toMatchObject({ traceparent: `00-${TRACE}-${child.spanId}-${goes}`, tracestate: 'a=1' });
  });

  it('is not set for a trace that the application has started with its own id', () => {
    const span = start(on, trace.setSpanContext(ROOT_CONTEXT, { traceId: TRACE, spanId: SPAN, traceFlags: 1 }));
    expect(sent(span).traceparent).toBe(`00-${TRACE}-${span.spanId}-01`);
  });

  it('is set beside the trace state of a sampler', () => {
    const traceState = createTraceState('ot=th:8');
    const sampler: Sampler = { shouldSample: () => ({ decision: SamplingDecision.RECORD_AND_SAMPLED, traceState }) };
    expect(sent(start(sampler, ROOT_CONTEXT))).toMatchObject({
      tracestate: 'ot=th:8',
      traceparent: expect.stringMatching(/-03$/),
    });
  });
});

describe('a caller by b3', () => {
  const parentBased = (root: Sampler) => new ParentBasedSampler({ root });

  it.each([
    ['0', parentBased(on), 0],
    ['1', parentBased(off), 1],
    ['d', parentBased(off), 1],
    ['0', on, 1],
    ['1', off, 0],
  ])('that requests %s without ids decides for parent-based samplers', (b3, sampler, flags) => {
    const span = start(sampler, read(propagator, { b3 }));
    expect(span.traceFlags).toBe(flags);
    expect(span.traceId).toMatch(/^(?!0+$)[\da-f]{32}$/);
  });

  it('that requests debugging reaches the services that are called', () => {
    const span = start(parentBased(off), read(propagator, { b3: 'd' }));
    expect(sent(span)).toEqual({
      traceparent: `00-${span.traceId}-${span.spanId}-03`,
      b3: `${span.traceId}-${span.spanId}-d`,
    });
  });

  it('with a sampling request does not decide about other traces', () => {
    expect(start(parentBased(on), read(propagator, { b3: '0' }), SpanKind.INTERNAL).traceFlags).toBe(1);
  });

  it('with a sampling request is not a parent', () => {
    const provider = new TracerProvider({ sampler: withTraceBeginnings(parentBased(on)) });
    const span = provider.getTracer('test').startSpan('work', { kind: SpanKind.SERVER }, read(propagator, { b3: '1' }));
    expect((span as unknown as { parentSpanContext?: SpanContext }).parentSpanContext).toBeUndefined();
  });

  it.each([
    ['on', parentBased(on), 1],
    ['off', parentBased(off), 0],
  ])(
    'that leaves the decision to the receiver gets its decision, and so do the services that are called: %s',
    (_, sampler, flags) => {
      const span = start(sampler, read(propagator, { b3: `${TRACE}-${SPAN}` }));
      expect(sent(span)).toEqual({
        traceparent: `00-${TRACE}-${span.spanId}-0${flags}`,
        b3: `${TRACE}-${span.spanId}-${flags}`,
      });
      const child = start(parentBased(flags === 1 ? off : on), trace.setSpanContext(ROOT_CONTEXT, span));
      expect(child.traceFlags).toBe(flags);
    },
  );

  it('that debugs is passed on through children', () => {
    const span = start(parentBased(off), read(propagator, { b3: `${TRACE}-${SPAN}-d` }));
    const child = start(parentBased(off), trace.setSpanContext(ROOT_CONTEXT, span));
    expect(sent(child).b3).toBe(`${TRACE}-${child.spanId}-d`);
  });
});

describe('the sampler of the options', () => {
  it('is called with the same arguments as by the SDK, and describes itself', () => {
    const seen: unknown[] = [];
    const sampler: Sampler = {
      shouldSample(...given) {
        seen.push(...given.slice(1));
        return { decision: 2, attributes: { by: 'me' } };
      },
      toString: () => 'mine',
    };
    const wrapped = withTraceBeginnings(sampler);
    const result = wrapped.shouldSample(context.active(), TRACE, 'work', SpanKind.CLIENT, { a: 1 }, []);
    expect(seen).toEqual([TRACE, 'work', SpanKind.CLIENT, { a: 1 }, []]);
    expect(result).toMatchObject({ decision: 2, attributes: { by: 'me' } });
    expect(String(wrapped)).toBe('mine');
  });

  it('may return nothing', () => {
    const silent = { shouldSample: () => undefined } as unknown as Sampler;
    expect(
      withTraceBeginnings(silent).shouldSample(ROOT_CONTEXT, TRACE, 'work', SpanKind.CLIENT, {}, []),
    ).toBeUndefined();
  });
});
