import { describe, expect, it } from '@jest/globals';
import { createTraceState, isSpanContextValid, ROOT_CONTEXT, trace, type Context, type Span } from '@opentelemetry/api';
import { suppressTracing } from '../../../lib/core/suppression.js';
import { alwaysOff, parentBased } from '../../../lib/sampling/standard-samplers.js';
import { LibraryTracerProvider } from '../../../lib/tracer/tracer-provider.js';
import { createPipeline, KeptSpans } from '../../support/pipeline.js';

const UNSAMPLED = trace.setSpanContext(ROOT_CONTEXT, {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  traceFlags: 0,
  isRemote: true,
  traceState: createTraceState('vendor=1'),
});

const kept = new KeptSpans();
const tracers = [undefined, alwaysOff, parentBased(alwaysOff)].map((sampler) => {
  const provider = new LibraryTracerProvider();
  provider.use(createPipeline([kept], sampler && { sampler }), undefined);
  return [sampler?.toString() ?? 'the default', provider.getTracer('test')] as const;
});

describe.each(tracers)('a span that is not sampled by %s', (_, tracer) => {
  const start = (within: Context) => tracer.startSpan('work', { attributes: { a: 1 } }, within);
  const below = (span: Span) => trace.setSpan(ROOT_CONTEXT, span);

  it('continues the trace, with its state, under an id of its own', () => {
    const [one, other] = [start(UNSAMPLED), start(UNSAMPLED)];
    const beneath = start(below(one));
    const contexts = [one, other, beneath].map((span) => span.spanContext());
    expect(new Set(contexts.map(({ spanId }) => spanId)).size).toBe(3);
    for (const spanContext of contexts) {
      expect(isSpanContextValid(spanContext)).toBe(true);
      expect(spanContext).toMatchObject({ traceId: 'a'.repeat(32), traceFlags: 0 });
      expect(spanContext.traceState?.serialize()).toBe('vendor=1');
      expect(spanContext.isRemote).toBeUndefined();
    }
    expect(one.spanContext()).toBe(contexts[0]);
  });

  it('records nothing, and reaches no processor', () => {
    const span = start(UNSAMPLED);
    span
      .setAttribute('a', 1)
      .setAttributes({ b: 2 })
      .addEvent('event')
      .addLink({ context: span.spanContext() })
      .addLinks([])
      .setStatus({ code: 2 })
      .updateName('other');
    span.recordException('broken');
    span.end();
    expect(span.isRecording()).toBe(false);
    expect(kept.spans).toEqual([]);
  });
});

describe('a span where tracing is suppressed', () => {
  it('is another object each time, because instrumentations keep properties on spans', () => {
    const [, tracer] = tracers[0]!;
    const [one, other] = [1, 2].map(() => tracer.startSpan('work', {}, suppressTracing(ROOT_CONTEXT)));
    expect(isSpanContextValid(one!.spanContext())).toBe(false);
    expect(one).not.toBe(other);
  });
});
