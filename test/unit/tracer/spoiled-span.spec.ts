import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SpanStatusCode, type Attributes, type Span, type SpanContext, type TimeInput } from '@opentelemetry/api';
import { setDiagnosticsSink } from '../../../lib/core/diagnostics.js';
import { boundSpans } from '../../../lib/sdk/stock/bounded-spans.js';
import { MemorySpanExporter } from '../../../lib/export/exporters/memory-exporter.js';
import { spanSize } from '../../../lib/export/span-size.js';
import { toThriftSpan } from '../../../lib/export/exporters/thrift-span.js';
import { ExportProcessor } from '../../../lib/export/export-processor.js';
import { LibraryTracerProvider } from '../../../lib/tracer/tracer-provider.js';
import { createPipeline } from '../../support/pipeline.js';
import { loadFromSdk } from '../../../lib/sdk/packages.js';
import type { ReadableSpan } from '../../../lib/options/sdk-types.js';
import { renderTrace } from '../../../lib/export/console/trace-tree.js';
import { heapGrowth } from '../../support/heap.js';
import { loadDependency } from '../../support/load-dependency.js';

interface TracePackage {
  TracerProvider: new (config: object) => {
    getTracer(name: string): { startSpan(name: string, options?: object): Span };
  };
  SimpleSpanProcessor: new (config: object) => object;
}
interface Transformer {
  ProtobufTraceSerializer: { serializeRequest(spans: ReadableSpan[]): Uint8Array };
  JsonTraceSerializer: { serializeRequest(spans: ReadableSpan[]): Uint8Array };
}

const LIMIT = 100;

let warnings: string[];
beforeEach(() => {
  warnings = [];
  setDiagnosticsSink({ warn: (message) => warnings.push(message) });
});
afterEach(() => setDiagnosticsSink());

interface Recorder {
  readonly exporter: MemorySpanExporter;
  readonly tracer: { startSpan(name: string, options?: object): Span };
}

function builtinTracer(textLength: number): Recorder {
  const exporter = new MemorySpanExporter();
  const limits = { count: 128, valueLength: textLength };
  const provider = new LibraryTracerProvider();
  const processor = new ExportProcessor({ exporter }, 'the memory', {
    maxSpans: 100,
    maxBytes: Infinity,
    maxBatchSize: 1,
    delay: undefined,
    exportTimeout: 1000,
    shutdownTimeout: 1000,
  });
  const pipeline = createPipeline([processor], {
    limits: { attributes: limits, eventAttributes: limits, linkAttributes: limits },
  });
  provider.use(pipeline, undefined);
  return { exporter, tracer: provider.getTracer('test') };
}

function sdkTracer(textLength: number): Recorder {
  const { SimpleSpanProcessor, TracerProvider } = loadFromSdk<TracePackage>('@opentelemetry/sdk-trace');
  const exporter = new MemorySpanExporter();
  const provider = new TracerProvider({
    spanProcessors: [boundSpans({ textLength }), new SimpleSpanProcessor({ exporter })],
    spanLimits: { attributeValueLengthLimit: textLength },
  });
  return { exporter, tracer: provider.getTracer('test') };
}

/** Encodes a span in all formats of the exporters. Throws if one of them cannot encode it. */
function encode(span: ReadableSpan): { attributes: { key: string; value: object }[] } {
  const { ProtobufTraceSerializer, JsonTraceSerializer } = loadDependency<Transformer>(
    '@opentelemetry/otlp-transformer',
    '@opentelemetry/exporter-trace-otlp-http',
  );
  const { spanToThrift } = loadFromSdk<{ spanToThrift(span: ReadableSpan): object }>(
    '@opentelemetry/exporter-jaeger/build/src/transform.js',
  );
  ProtobufTraceSerializer.serializeRequest([span]);
  spanToThrift(toThriftSpan(span));
  renderTrace([span]);
  const json = JSON.parse(Buffer.from(JsonTraceSerializer.serializeRequest([span])).toString()) as {
    resourceSpans: { scopeSpans: { spans: { attributes: { key: string; value: object }[] }[] }[] }[];
  };
  return json.resourceSpans[0]!.scopeSpans[0]!.spans[0]!;
}

const context: SpanContext = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };
const unreadable = {
  toString() {
    throw new Error('no text');
  },
};
const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;

describe.each([
  ['builtin', builtinTracer],
  ['sdk', sdkTracer],
])('the tracer %s', (name, recorder) => {
  function record(work: (span: Span) => unknown, options?: object): ReadableSpan {
    const { exporter, tracer } = recorder(LIMIT);
    const span = tracer.startSpan('work', options);
    work(span);
    span.end();
    const [finished] = exporter.getFinishedSpans();
    if (!finished) throw new Error('no span');
    return finished;
  }

  describe('a span that the application has spoiled', () => {
    it.each<[what: string, spoil: (span: Span) => unknown, options?: object]>([
      ['no name', (span) => span.updateName(undefined as never)],
      ['a number for a name', (span) => span.updateName(17 as never)],
      ['a symbol for a name', (span) => span.updateName(Symbol('name') as never)],
      ['an object without a text for a name', (span) => span.updateName(unreadable as never)],
      ['an event without a name', (span) => span.addEvent(undefined as never)],
      ['an event with an object for a name', (span) => span.addEvent(unreadable as never)],
      ['an event at no time', (span) => span.addEvent('event', NaN)],
      ['an event at an invalid date', (span) => span.addEvent('event', new Date('never'))],
      ['an event with attributes that are none', (span) => span.addEvent('event', 'text' as never)],
      ['a start at no time', () => {}, { startTime: NaN }],
      ['a start with fractions of seconds', () => {}, { startTime: [1.5, 0] }],
      ['a start in a year without end', () => {}, { startTime: 1e300 }],
      ['an end at no time', (span) => span.end(NaN)],
      ['an end at an invalid date', (span) => span.end(new Date('never'))],
      ['an end at a time with negative parts', (span) => span.end([-1, -1])],
      ['a link without a context', (span) => span.addLink({} as never)],
      ['a link with an empty context', (span) => span.addLink({ context: {} } as never)],
      ['a link with null for a context', (span) => span.addLink({ context: null } as never)],
      [
        'a link whose trace state is none',
        (span) => span.addLink({ context: { ...context, traceState: {} } } as never),
      ],
      [
        'a link that is frozen',
        (span) => span.addLink({ context: Object.freeze({ ...context, traceState: 1 as never }) }),
      ],
      ['a text for a kind', () => {}, { kind: 'server' }],
      ['a kind that there is not', () => {}, { kind: 99 }],
      ['a status with a text for a code', (span) => span.setStatus({ code: 'ERROR' as never, message: 'x' })],
      ['a status with a code that there is not', (span) => span.setStatus({ code: 7 as never })],
      ['a status with an object for a message', (span) => span.setStatus({ code: 2, message: {} as never })],
      ['attributes of all wrong kinds', (span) => span.setAttributes(wrongAttributes())],
    ])('can be encoded: %s', (_what, ...[spoil, options]) => {
      const span = record(spoil, options);
      expect(() => encode(span)).not.toThrow();
      expect(span.name).toEqual(expect.any(String));
      expect(spanSize(span)).toBeGreaterThan(0);
      for (const time of [span.startTime, span.endTime, span.duration]) {
        expect(time).toEqual([expect.any(Number), expect.any(Number)]);
        expect(time.every((part) => Number.isInteger(part) && part >= 0)).toBe(true);
      }
      expect(warnings).toEqual([]);
    });

    it('keeps its valid parts', () => {
      const span = record((it) => {
        it.addLinks([{} as never, { context, attributes: { a: 1 } }]);
        it.addEvent(undefined as never, { b: 2 });
        it.setAttribute('c', 3).updateName(17 as never);
      });
      expect(span.links).toEqual([{ context, attributes: { a: 1 } }]);
      expect(span.events).toMatchObject([{ name: 'undefined', attributes: { b: 2 } }]);
      expect(span).toMatchObject({ name: '17', attributes: { c: 3 } });
    });

    it('does not touch the context of a link, which is the object of the application', () => {
      const given = { ...context, traceState: {} as never };
      record((span) => span.addLink({ context: given }));
      expect(given.traceState).toEqual({});
    });

    it('does not fail the application if the span is frozen', () => {
      const { exporter, tracer } = recorder(LIMIT);
      const span = tracer.startSpan('x'.repeat(5000));
      const end = span.end.bind(span);
      expect(() => {
        Object.defineProperty(span, 'name', { writable: false });
        end();
      }).not.toThrow();
      expect(exporter.getFinishedSpans()).toHaveLength(1);
      expect(warnings).toEqual(name === 'sdk' ? [expect.stringContaining('Bounding a span')] : []);
    });

    it.each<[TimeInput, TimeInput]>([
      [NaN, NaN],
      [NaN, 1_700_000_000_000],
      [1_700_000_000_000, NaN],
    ])('ends no earlier than it starts: from %s to %s', (startTime, endTime) => {
      const { startTime: from, endTime: to, duration } = record((span) => span.end(endTime), { startTime });
      expect(to[0]).toBeGreaterThanOrEqual(from[0]);
      expect(duration).toEqual([0, 0]);
    });
  });

  describe('the size of a span', () => {
    it('is limited by the limits of its name, status message, strings and lists', () => {
      const long = 'é'.repeat(100_000);
      const span = record((it) => {
        it.updateName(long).setStatus({ code: SpanStatusCode.ERROR, message: long });
        it.setAttribute('text', long).setAttribute('list', Array(100_000).fill(long));
        it.addEvent(long, { text: long });
        it.addLink({ context, attributes: { list: Array(100_000).fill(1) } });
      });
      expect(span.name).toHaveLength(1024);
      expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'é'.repeat(LIMIT) });
      expect(span.attributes.text).toHaveLength(LIMIT);
      expect(span.attributes.list).toEqual(Array(1000).fill('é'.repeat(LIMIT)));
      expect(span.events[0]?.name).toHaveLength(1024);
      expect(span.events[0]?.attributes?.text).toHaveLength(LIMIT);
      expect(span.links[0]?.attributes?.list).toHaveLength(1000);
    });

    it('is that of its strings, and not of the strings from which they were cut', async () => {
      const { exporter, tracer } = recorder(8192);
      const megabyte = (index: number) => `${index}`.padEnd(2 ** 20, 'x');
      const grown = await heapGrowth(() => {
        for (let index = 0; index < 60; index++) {
          const span = tracer.startSpan(megabyte(index), { attributes: { text: megabyte(index) } });
          span.setAttribute('list', [megabyte(index)]).setStatus({ code: 2, message: megabyte(index) });
          span.addEvent('exception', { 'exception.message': megabyte(index) });
          span.addLink({ context, attributes: { text: megabyte(index) } });
          span.end();
        }
      });
      expect(exporter.getFinishedSpans()).toHaveLength(60);
      // Each has five strings of 8 KiB. With the strings from which they were cut, it would be 360 MiB.
      expect(grown).toBeLessThan(10 * 2 ** 20);
    });
  });
});

function wrongAttributes(): Attributes {
  const wrong = {
    cyclic,
    big: 1n,
    symbol: Symbol('s'),
    mixed: [1, 'a', true],
    holes: [undefined, 1, null],
    nested: [[1]],
    'to-json': { toJSON: unreadable.toString },
    date: new Date(NaN),
    map: new Map(),
    call() {},
    ['__proto__']: ['a'],
    '': 1,
  };
  return wrong as never;
}
