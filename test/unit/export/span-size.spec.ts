import { describe, expect, it } from '@jest/globals';
import { spanSize } from '../../../lib/export/span-size.js';
import type { ReadableSpan } from '../../../lib/options/sdk-types.js';
import { LibraryTracerProvider } from '../../../lib/tracer/tracer-provider.js';
import { createPipeline, KeptSpans } from '../../support/pipeline.js';
import { fakeSpan } from '../sdk/fake-span.js';
import { loadDependency } from '../../support/load-dependency.js';

describe('spanSize', () => {
  it('is never smaller than the span on the wire', () => {
    interface Transformer {
      ProtobufTraceSerializer: { serializeRequest(spans: ReadableSpan[]): Uint8Array };
    }
    const { ProtobufTraceSerializer } = loadDependency<Transformer>(
      '@opentelemetry/otlp-transformer',
      '@opentelemetry/exporter-trace-otlp-http',
    );
    const attributes = { text: 'ü'.repeat(50), count: 2 ** 40, part: 0.5, yes: true, many: Array(20).fill(0.25) };
    const event = { name: 'ü'.repeat(40), at: 1, attributes: { text: 'x', count: 1 } };
    const spans = ['', 'ü'.repeat(100)].flatMap((name) => [
      fakeSpan(name, { parent: 'a' }),
      fakeSpan(name, { attributes, events: [event, event] }),
      fakeSpan(name, {
        links: Array.from({ length: 20 }, () => ({ context: fakeSpan('a').spanContext(), attributes })),
      }),
    ]);
    for (const span of spans) {
      const { length } = ProtobufTraceSerializer.serializeRequest([span]);
      expect(spanSize(span)).toBeGreaterThanOrEqual(length);
    }
  });

  it('is that of the attributes and events that a span has kept', () => {
    const kept = new KeptSpans();
    const provider = new LibraryTracerProvider();
    provider.use(createPipeline([kept]), undefined);
    const tracer = provider.getTracer('test');
    const busy = tracer.startSpan('work');
    const other = tracer.startSpan('work');
    for (let index = 0; index < 1000; index++) {
      busy.setAttribute('progress', index).addEvent('progress', { text: 'x'.repeat(100) });
      busy.setStatus({ code: 2, message: 'x'.repeat(100) });
    }
    for (let index = 0; index < 128; index++) other.addEvent('progress', { text: 'x'.repeat(100) });
    other.setAttribute('progress', 0).setStatus({ code: 2, message: 'x'.repeat(100) });
    busy.end();
    other.end();
    expect(kept.spans.map(spanSize)).toEqual([spanSize(kept.spans[1]!), spanSize(kept.spans[1]!)]);
    expect(spanSize(kept.spans[1]!)).toBeGreaterThan(128 * 100);
  });

  it('is the same if an exporter changes the span, or freezes it', () => {
    const kept = new KeptSpans();
    const provider = new LibraryTracerProvider();
    provider.use(createPipeline([kept]), undefined);
    for (const name of ['changed', 'frozen']) provider.getTracer('test').startSpan(name).end();
    const [changed, frozen] = kept.spans as [ReadableSpan, ReadableSpan];
    const size = spanSize(changed);
    changed.attributes['added'] = 'x'.repeat(1000);
    expect(spanSize(changed)).toBe(size);
    Object.freeze(frozen);
    const frozenSize = spanSize(frozen);
    frozen.attributes['added'] = 'x'.repeat(1000);
    expect(spanSize(frozen)).toBe(frozenSize);
  });
});
