import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createTraceState, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { JsonEncoder } from '../../../lib/export/otlp/json-encoder.js';
import { ProtobufEncoder } from '../../../lib/export/otlp/protobuf-encoder.js';
import { spanSize } from '../../../lib/export/span-size.js';
import { traitsOf } from '../../../lib/propagation/trace-state.js';
import { RecordedSpan } from '../../../lib/tracer/span.js';
import { LibraryTracerProvider } from '../../../lib/tracer/tracer-provider.js';
import { createPipeline, KeptSpans } from '../../support/pipeline.js';
import { encodeOtlp } from '../../support/otlp-message.js';

/** The modules of a second copy of the library, as another version of a dependency would load it. */
interface Copy {
  readonly LibraryTracerProvider: typeof LibraryTracerProvider;
  readonly ProtobufEncoder: typeof ProtobufEncoder;
  readonly JsonEncoder: typeof JsonEncoder;
  readonly spanSize: typeof spanSize;
}

let copy: Copy;
beforeAll(async () => {
  await jest.isolateModulesAsync(async () => {
    // One after the other: the test runner cannot load modules of a copy at the same time.
    const provider = await import('../../../lib/tracer/tracer-provider.js');
    const protobuf = await import('../../../lib/export/otlp/protobuf-encoder.js');
    const json = await import('../../../lib/export/otlp/json-encoder.js');
    const size = await import('../../../lib/export/span-size.js');
    copy = { ...provider, ...protobuf, ...json, ...size };
  });
});

describe('two copies of the library in one process', () => {
  it('export the spans of the other', async () => {
    const kept = new KeptSpans();
    const provider = new copy.LibraryTracerProvider();
    provider.use(createPipeline([kept]), undefined);
    const tracer = provider.getTracer('test', '1.0', { schemaUrl: 'https://schema/1' });
    const remote = trace.setSpanContext(ROOT_CONTEXT, {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      traceFlags: 1,
      isRemote: true,
      traceState: createTraceState('vendor=1'),
    });
    const parent = tracer.startSpan('parent', { attributes: { text: 'ключ', list: [1, 2] } }, remote);
    const child = tracer.startSpan(
      'child',
      { links: [{ context: parent.spanContext() }] },
      trace.setSpan(remote, parent),
    );
    child.addEvent('event', { a: true }).setStatus({ code: 2, message: 'broken' });
    for (const span of [child, parent, tracer.startSpan('root', {}, ROOT_CONTEXT)]) span.end();

    expect(kept.spans).toHaveLength(3);
    expect(kept.spans[0]).not.toBeInstanceOf(RecordedSpan);
    const own = encodeOtlp(new ProtobufEncoder(), kept.spans);
    expect(own.equals(encodeOtlp(new copy.ProtobufEncoder(), kept.spans))).toBe(true);
    const json = encodeOtlp(new JsonEncoder(), kept.spans);
    expect(json.equals(encodeOtlp(new copy.JsonEncoder(), kept.spans))).toBe(true);
    expect(kept.spans.map((span) => spanSize(span))).toEqual(kept.spans.map((span) => copy.spanSize(span)));
  });

  it('continue the traces of the other', () => {
    const [first, second] = [new LibraryTracerProvider(), new copy.LibraryTracerProvider()].map((provider) => {
      provider.use(createPipeline([]), undefined);
      return provider.getTracer('test');
    });
    const parent = first!.startSpan('parent', {}, ROOT_CONTEXT);
    const child = second!.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, parent));
    const grandchild = first!.startSpan('grandchild', {}, trace.setSpan(ROOT_CONTEXT, child));
    expect(new Set([parent, child, grandchild].map((span) => span.spanContext().traceId)).size).toBe(1);
    expect((grandchild as RecordedSpan).parentSpanContext).toEqual(child.spanContext());
    expect(traitsOf(grandchild.spanContext())).toBe(traitsOf(parent.spanContext()));
  });
});
