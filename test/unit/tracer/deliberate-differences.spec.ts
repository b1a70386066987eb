import { describe, expect, it } from '@jest/globals';
import type { Span, SpanOptions, Tracer } from '@opentelemetry/api';
import type { ReadableSpan } from '../../../lib/options/sdk-types.js';
import { alwaysOn } from '../../../lib/sampling/standard-samplers.js';
import { FixedResource } from '../../../lib/sdk/fixed-resource.js';
import { createStockProvider } from '../../../lib/sdk/stock/stock-provider.js';
import { Pipeline } from '../../../lib/tracer/pipeline.js';
import { LibraryTracerProvider } from '../../../lib/tracer/tracer-provider.js';
import { KeptSpans, samplingBy } from '../../support/pipeline.js';

const LIMIT = 10;
const LINKED = { context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 } };
const WITHOUT_IDS = { context: {} } as never;

const hostile = {
  get name(): never {
    throw new RangeError('hostile');
  },
};

interface Outcome {
  readonly span?: ReadableSpan;
  /** The name of the class of an error that reaches the application. */
  readonly thrown?: string | undefined;
}

/** Runs the same on a tracer of the library and on one of the SDK. */
function outcomes(work: (tracer: Tracer) => Span | undefined): { own: Outcome; sdk: Outcome } {
  const run = (pick: 'own' | 'sdk'): Outcome => {
    const kept = new KeptSpans();
    const limits = { count: 2, valueLength: LIMIT };
    const pipeline = new Pipeline({
      processors: [kept],
      isObserved: true,
      limits: { attributes: limits, eventAttributes: limits, linkAttributes: limits, eventCount: 2, linkCount: 2 },
      resource: new FixedResource({}),
      sampling: samplingBy(alwaysOn),
    });
    const library = new LibraryTracerProvider();
    library.use(pipeline, undefined);
    const provider = pick === 'own' ? library : createStockProvider(pipeline);
    try {
      work(provider.getTracer('test'))?.end();
    } catch (error) {
      return { thrown: (error as Error).constructor.name };
    }
    const [span] = kept.spans;
    return span ? { span } : {};
  };
  return { own: run('own'), sdk: run('sdk') };
}

/** Starts a span with these options, and makes calls on it. */
function spanWith(options: SpanOptions, calls: (span: Span) => unknown = () => {}) {
  return (tracer: Tracer) => {
    const span = tracer.startSpan('work', options);
    calls(span);
    return span;
  };
}

const eventAttributes = ({ span }: Outcome) => span?.events[0]?.attributes;
const links = ({ span }: Outcome) => [span?.links.length, span?.droppedLinksCount];
const thrown = (outcome: Outcome) => outcome.thrown;

/** Everything in which a span of the library differs from one of the SDK, apart from ids and precise times. */
const DIFFERENCES: readonly {
  readonly reason: string;
  readonly work: (tracer: Tracer) => Span | undefined;
  readonly of: (outcome: Outcome) => unknown;
  readonly own: unknown;
  readonly sdk: unknown;
}[] = [
  {
    reason: 'an attribute of an event or a link without a value is left out, as one of a span is',
    work: spanWith({}, (span) => span.addEvent('event', { a: null, b: undefined, c: 1 } as never)),
    of: eventAttributes,
    own: { c: 1 },
    sdk: { a: null, b: undefined },
  },
  {
    reason: 'a link without ids, which no exporter can write, does not displace one with ids',
    work: spanWith({ links: [LINKED] }, (span) => span.addLinks([WITHOUT_IDS, WITHOUT_IDS])),
    of: links,
    own: [1, 0],
    sdk: [0, 1],
  },
  {
    reason: 'an event at no time happens now, not at the start',
    work: spanWith({ startTime: [1, 0] }, (span) => span.addEvent('event', NaN)),
    of: ({ span }) => span && span.events[0]!.time[0] > 1,
    own: true,
    sdk: false,
  },
  {
    reason: 'a text is not cut within a character',
    work: spanWith({ attributes: { text: `${'x'.repeat(LIMIT - 1)}😀` } }),
    of: ({ span }) => span?.attributes['text'],
    own: 'x'.repeat(LIMIT - 1),
    sdk: `${'x'.repeat(LIMIT - 1)}\ud83d`,
  },
  {
    reason: 'a status that there is not replaces no other',
    work: spanWith({}, (span) => span.setStatus({ code: 2 }).setStatus({ code: 7 as never })),
    of: ({ span }) => span?.status.code,
    own: 2,
    sdk: 0,
  },
  {
    reason: 'a text in the place of attributes does not become an attribute for each character',
    work: spanWith({}, (span) => span.setAttributes('ab' as never)),
    of: ({ span }) => span?.attributes,
    own: {},
    sdk: { 0: 'a', 1: 'b' },
  },
  {
    reason: 'a key that is no text is none of an attribute',
    work: spanWith({}, (span) => span.setAttribute(404 as never, 'not found')),
    of: ({ span }) => span?.attributes,
    own: {},
    sdk: { 404: 'not found' },
  },
  {
    reason: 'a key does not change the prototype of the attributes',
    work: spanWith({}, (span) => span.setAttribute('__proto__', ['a'])),
    of: ({ span }) => Object.getPrototypeOf(span?.attributes) === Object.prototype,
    own: true,
    sdk: false,
  },
  ...(
    [
      ['options that are null', spanWith(null as never)],
      ['links that are no list', spanWith({ links: Promise.resolve([]) as never })],
      ['a status that is null', spanWith({}, (span) => span.setStatus(null as never))],
      ['a link that is undefined', spanWith({}, (span) => span.addLink(undefined as never))],
      ['links that are undefined', spanWith({}, (span) => span.addLinks(undefined as never))],
      ['attributes that throw', spanWith({ attributes: hostile })],
      ['an exception that throws', spanWith({}, (span) => span.recordException(hostile as never))],
    ] as const
  ).map(([what, work]) => ({
    reason: `no call throws into the application: ${what}`,
    work,
    of: thrown,
    own: undefined,
    sdk: expect.stringMatching(/Error$/),
  })),
];

describe('the tracer of the library differs from that of the SDK', () => {
  it.each(DIFFERENCES.map((difference) => [difference.reason, difference] as const))(
    '%s',
    (_, { of, own, sdk, work }) => {
      const both = outcomes(work);
      expect(of(both.own)).toEqual(own);
      expect(of(both.sdk)).toEqual(sdk);
    },
  );
});
