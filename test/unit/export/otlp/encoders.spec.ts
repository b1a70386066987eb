import { describe, expect, it } from '@jest/globals';
import { createTraceState, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Attributes } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { EncodedSpan, OtlpEncoder } from '../../../../lib/export/otlp/encoded-span.js';
import { JsonEncoder } from '../../../../lib/export/otlp/json-encoder.js';
import { ProtobufEncoder } from '../../../../lib/export/otlp/protobuf-encoder.js';
import type { ReadableSpan } from '../../../../lib/options/sdk-types.js';
import { loadDependency } from '../../../support/load-dependency.js';
import { decodeOtlp, encodeOtlp } from '../../../support/otlp-message.js';

interface Serializer {
  serializeRequest(spans: readonly ReadableSpan[]): Uint8Array;
}

// The serializers of OpenTelemetry's own exporters: all receivers understand what they write.
const stock = loadDependency<{ JsonTraceSerializer: Serializer; ProtobufTraceSerializer: Serializer }>(
  '@opentelemetry/otlp-transformer',
  '@opentelemetry/exporter-trace-otlp-proto',
);

const REMOTE = { traceId: 'f'.repeat(32), spanId: '9'.repeat(16), traceFlags: 1, isRemote: true };

/** Random numbers that are the same in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const TEXTS = [
  '',
  'GET /users/:id',
  'ä',
  '日本語',
  '😀'.repeat(30),
  'x'.repeat(41),
  'x'.repeat(42),
  'é'.repeat(41),
  '\u{d800}',
];
const NUMBERS = [0, 1, -1, 127, 128, 2 ** 31, 2 ** 32 + 5, -(2 ** 40), Number.MAX_SAFE_INTEGER, 0.5, -1e-9, 0.1];

function randomSpans(seed: number, count: number): ReadableSpan[] {
  const random = seeded(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const attributes = (): Attributes =>
    Object.fromEntries(
      Array.from({ length: Math.floor(random() * 6) }, (_, index) => [
        `${pick(['http.route', 'schlüssel', 'k'.repeat(50)])}.${index}`,
        pick<Attributes[string]>([
          pick(TEXTS.slice(0, -1)),
          pick(NUMBERS),
          random() < 0.5,
          ['a', 'b'],
          [1, 2.5, -3],
          [true],
          [],
          ['a', null, 'c'],
        ]),
      ]),
    );
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'test', 'process.pid': 7, list: ['a'] }),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const tracers = [provider.getTracer('one', '1.0'), provider.getTracer('two', '2.0', { schemaUrl: 'https://s/1' })];
  const parents = [
    ROOT_CONTEXT,
    trace.setSpanContext(ROOT_CONTEXT, REMOTE),
    trace.setSpanContext(ROOT_CONTEXT, { ...REMOTE, isRemote: false, traceState: createTraceState('a=1,b=2') }),
  ];
  for (let index = 0; index < count; index++) {
    const links = random() < 0.3 ? [{ context: REMOTE, attributes: attributes() }] : [];
    const kind = pick([SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER]);
    const startTime: [number, number] = [1_764_457_000 + index, Math.floor(random() * 1e9)];
    const span = pick(tracers).startSpan(
      pick(TEXTS),
      { attributes: attributes(), kind, links, startTime },
      pick(parents),
    );
    if (random() < 0.3) span.addEvent(pick(TEXTS), attributes(), [startTime[0], 5]);
    if (random() < 0.3) span.setStatus({ code: SpanStatusCode.ERROR, message: pick(TEXTS) });
    if (random() < 0.1) span.setStatus({ code: SpanStatusCode.OK });
    span.end([startTime[0] + 1, Math.floor(random() * 1e9)]);
  }
  return exporter.getFinishedSpans();
}

describe('the encoders of OTLP', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('write what those of OpenTelemetry write: random spans %i', async (seed) => {
    const spans = randomSpans(seed, 40);
    expect(spans).toHaveLength(40);
    const protobuf = encodeOtlp(new ProtobufEncoder(), spans);
    const expected = Buffer.from(stock.ProtobufTraceSerializer.serializeRequest(spans));
    expect(decodeOtlp(protobuf)).toEqual(decodeOtlp(expected));

    const json: unknown = JSON.parse(encodeOtlp(new JsonEncoder(), spans).toString());
    const stockJson: unknown = JSON.parse(Buffer.from(stock.JsonTraceSerializer.serializeRequest(spans)).toString());
    expect(normalized(json)).toEqual(normalized(stockJson));
  });

  it('encode the same again, and longer messages after shorter ones', async () => {
    const encoder = new ProtobufEncoder();
    const [few, many] = [randomSpans(1, 3), randomSpans(2, 2000)];
    const first = encodeOtlp(encoder, few);
    const large = encodeOtlp(encoder, many);
    expect(large.length).toBeGreaterThan(first.length * 100);
    expect(encodeOtlp(encoder, few).equals(first)).toBe(true);
  });

  it('keep each span as it was when it was encoded', () => {
    const spans = randomSpans(3, 600);
    const encoder = new ProtobufEncoder();
    const encoded = spans.map((span) => encoder.encodeSpan(span));
    const inOrder = encoder.encodeRequest(encoded);
    for (const span of spans) Object.defineProperty(span, 'name', { value: 'changed' });
    expect(encoder.encodeRequest(encoded).equals(inOrder)).toBe(true);
    expect(inOrder.includes('changed')).toBe(false);
    expect(new Set(encoded.map(({ buffer }) => buffer)).size).toBeGreaterThan(1);
    // Spans of several buffers, in any order and not all of them, are those that were asked for.
    const some = encoded.filter((_, index) => index % 3 !== 0).toReversed();
    expect(spanCount(encoder.encodeRequest(some))).toBe(400);
  });

  it('writes into the same memory again once it is given back, and never into memory that is in use', () => {
    const encoder = new ProtobufEncoder();
    const spans = randomSpans(7, 300);
    const expected = encodeOtlp(new ProtobufEncoder(), spans);
    const buffers = new Set<ArrayBufferLike>();
    let waiting = spans.map((span) => encoder.encodeSpan(span));
    for (let round = 0; round < 50; round++) {
      const next = spans.map((span) => encoder.encodeSpan(span));
      const request = encoder.encodeRequest(waiting);
      expect(request.equals(expected)).toBe(true);
      buffers.add(request.buffer);
      encoder.releaseSpans(waiting);
      encoder.releaseRequest(request);
      waiting = next;
    }
    expect(buffers.size).toBeLessThan(10);
  });

  it('goes on after a span that cannot be encoded', () => {
    const [first, second] = randomSpans(5, 2) as [ReadableSpan, ReadableSpan];
    const broken = Object.create(second, { name: { value: undefined } }) as ReadableSpan;
    for (const encoder of [new ProtobufEncoder(), new JsonEncoder()] as OtlpEncoder<EncodedSpan>[]) {
      const before = encoder.encodeSpan(first);
      if (encoder instanceof ProtobufEncoder) expect(() => encoder.encodeSpan(broken)).toThrow(TypeError);
      const after = encoder.encodeSpan(second);
      expect(encoder.encodeRequest([before, after])).toEqual(encodeOtlp(encoder, [first, second]));
    }
  });

  it.each([127, 128, 129, 16_383, 16_384, 300_000])('write a text of %i characters', (length) => {
    const [span] = randomSpans(6, 1);
    const attributes = { text: 'x'.repeat(length), more: 'y'.repeat(length - 20) };
    const changed = Object.create(span!, { attributes: { value: attributes } }) as ReadableSpan;
    const expected = Buffer.from(stock.ProtobufTraceSerializer.serializeRequest([changed]));
    expect(decodeOtlp(encodeOtlp(new ProtobufEncoder(), [changed]))).toEqual(decodeOtlp(expected));
  });

  it('write a time that the application has rounded to a whole second of nanoseconds', () => {
    const [span] = randomSpans(5, 1);
    const changed = Object.assign(Object.create(span!) as ReadableSpan, { startTime: [1_764_457_000, 1e9] });
    expect(encodeOtlp(new JsonEncoder(), [changed]).toString()).toContain('"startTimeUnixNano":"1764457001000000000"');
    const stockMessage = stock.ProtobufTraceSerializer.serializeRequest([changed]);
    expect(decodeOtlp(encodeOtlp(new ProtobufEncoder(), [changed]))).toEqual(decodeOtlp(Buffer.from(stockMessage)));
  });

  it('write a hole of a list as a value that is unknown: a receiver refuses a message with null in its place', () => {
    const [span] = randomSpans(4, 1);
    const list: unknown[] = ['a'];
    list[2] = 'b';
    const changed = Object.create(span!, { attributes: { value: { list } } }) as ReadableSpan;
    const json = encodeOtlp(new JsonEncoder(), [changed]).toString();
    expect(json).toContain('{"values":[{"stringValue":"a"},{},{"stringValue":"b"}]}');
  });

  it('write bytes, nested values and integers beyond those of a number', async () => {
    const [span] = randomSpans(4, 1);
    const attributes = {
      bytes: new Uint8Array([1, 2, 255]),
      nested: { a: [{ b: 1 }] },
      huge: 1e30,
    } as unknown as Attributes;
    const changed = Object.assign(Object.create(span!) as ReadableSpan, { attributes });
    Object.defineProperty(changed, 'attributes', { value: attributes });
    const json = encodeOtlp(new JsonEncoder(), [changed]).toString();
    expect(json).toContain('{"key":"bytes","value":{"bytesValue":"AQL/"}}');
    expect(json).toContain('{"key":"huge","value":{"doubleValue":1e+30}}');
    expect(json).toContain('"kvlistValue":{"values":[{"key":"a"');
    const protobuf = encodeOtlp(new ProtobufEncoder(), [changed]);
    expect(protobuf.includes(Buffer.from([0x3a, 3, 1, 2, 255]))).toBe(true);
  });
});

/** Returns the number of spans in a message. */
function spanCount(message: Buffer): number {
  const fieldsOf = (tree: unknown, wanted: number) =>
    (tree as [number, unknown][]).filter(([number]) => number === wanted).map(([, value]) => value);
  return fieldsOf(decodeOtlp(message), 1)
    .flatMap((resourceSpans) => fieldsOf(resourceSpans, 2))
    .flatMap((scopeSpans) => fieldsOf(scopeSpans, 2)).length;
}

/** Integers may be written as numbers or as texts in JSON, and absent fields as such or as undefined. */
function normalized(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalized);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, entry]) => !(key === 'schemaUrl' && entry === '') && !(key === 'bytesValue'))
      .map(([key, entry]) => [key, key === 'intValue' ? String(entry) : normalized(entry)]),
  );
}
