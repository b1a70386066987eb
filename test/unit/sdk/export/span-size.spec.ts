import { describe, expect, it } from '@jest/globals';
import { splitBySize } from '../../../../lib/sdk/export/span-size.js';
import { loadFromSdk } from '../../../../lib/sdk/packages.js';
import type { ReadableSpan } from '../../../../lib/options/sdk-types.js';
import { fakeSpan } from '../fake-span.js';

const long = (name: string, length: number) => fakeSpan(name, { attributes: { text: 'x'.repeat(length) } });
const namesOf = (parts: readonly (readonly ReadableSpan[])[]) => parts.map((part) => part.map(({ name }) => name));

describe('splitBySize', () => {
  it.each<[what: string, lengths: number[], expected: string[][]]>([
    ['nothing', [], []],
    ['what fits', [1, 1, 1], [['0', '1', '2']]],
    ['what fits in twos', [3000, 3000, 3000], [['0', '1'], ['2']]],
    ['a large one before others', [9000, 1, 1], [['0'], ['1', '2']]],
    ['a large one between others', [1, 9000, 1], [['0'], ['1'], ['2']]],
    ['a large one at the end', [1, 1, 9000], [['0', '1'], ['2']]],
  ])('splits %s', (_what, lengths, expected) => {
    const spans = lengths.map((length, index) => long(String(index), length));
    expect(namesOf(splitBySize(spans, 21_000))).toEqual(expected);
  });

  it('never estimates a part to be smaller than its encoding', () => {
    interface Transformer {
      ProtobufTraceSerializer: { serializeRequest(spans: ReadableSpan[]): Uint8Array };
    }
    const { ProtobufTraceSerializer } = loadFromSdk<Transformer>(
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
      // With one byte less, the two would not be in one part.
      expect(splitBySize([span, span], 2 * length - 1)).toHaveLength(2);
    }
  });
});
