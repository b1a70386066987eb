import { describe, expect, it } from '@jest/globals';
import { spanSize } from '../../../lib/export/span-size.js';
import type { ReadableSpan } from '../../../lib/options/sdk-types.js';
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
});
