import { describe, expect, it } from '@jest/globals';
import { isSpanContextValid, propagation, trace, type Context } from '@opentelemetry/api';
import * as fc from 'fast-check';
import { setDiagnosticsSink } from '../../../lib/core/diagnostics.js';
import {
  DEBUG,
  RANDOM,
  traceStateWith,
  TraceState,
  traitsOf,
  UNDECIDED,
} from '../../../lib/propagation/trace-state.js';
import { createPropagator } from '../../../lib/sdk/propagators.js';
import { baggageIn, callerIn, read, stateIn, withBaggage, withSpan, write } from './messages.js';

const diagnostics: string[] = [];
setDiagnosticsSink({ warn: (message) => diagnostics.push(message) });

const FORMATS = ['tracecontext', 'baggage', 'b3', 'b3multi', 'jaeger', 'xray'] as const;
const PROPAGATORS = [
  ...FORMATS.map((name) => [name, createPropagator([name])] as const),
  ['all', createPropagator(FORMATS)] as const,
];

const hex = (length: number) =>
  fc
    .string({
      unit: fc.constantFrom(...Array.from({ length: 16 }, (_, digit) => digit.toString(16))),
      minLength: length,
      maxLength: length,
    })
    .filter((id) => /[^0]/.test(id));
const traceId = hex(32);
const spanId = hex(16);

const names = fc.constantFrom(
  'traceparent',
  'tracestate',
  'baggage',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-sampled',
  'x-b3-flags',
  'uber-trace-id',
  'uberctx-a',
  'uberctx-',
  'x-amzn-trace-id',
);

/** Generates a value that resembles a header: pieces of all formats in any order. */
const pieces = fc
  .array(
    fc.oneof(
      traceId,
      spanId,
      fc.constantFrom(
        '00',
        '01',
        'cc',
        'ff',
        '-',
        ':',
        ',',
        ';',
        '=',
        '%',
        '%3A',
        '%FF',
        ' ',
        '\t',
        '1',
        'd',
        'a@b',
        '+',
        'Root=1-',
        'Parent=',
        'Sampled=',
      ),
      fc.string({ unit: 'binary', maxLength: 8 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

const wellFormed = fc.oneof(
  fc.tuple(fc.constantFrom('00', '01', 'cc'), traceId, spanId, hex(2)).map((parts) => parts.join('-')),
  fc.tuple(traceId, spanId, fc.constantFrom('0', '1', 'd')).map((parts) => parts.join('-')),
  fc.tuple(traceId, spanId, fc.constant('0'), hex(2)).map((parts) => parts.join(':')),
  fc
    .tuple(traceId, spanId, fc.constantFrom('0', '1'))
    .map(([id, span, sampled]) => `Root=1-${id.slice(0, 8)}-${id.slice(8)};Parent=${span};Sampled=${sampled}`),
);

/** Generates a valid header in which one character is changed. */
const almostWellFormed = fc
  .tuple(wellFormed, fc.nat(100), fc.string({ unit: 'binary', maxLength: 2 }))
  .map(([text, at, other]) => text.slice(0, at % text.length) + other + text.slice((at % text.length) + 1));

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), pieces, wellFormed, almostWellFormed);
const value = fc.oneof(text, fc.array(text, { maxLength: 4 }), fc.anything());
const headers = fc.dictionary(fc.oneof({ weight: 9, arbitrary: names }, { weight: 1, arbitrary: text }), value, {
  noNullPrototype: true,
});

describe.each(PROPAGATORS)('any incoming headers of %s', (name, propagator) => {
  const adopted = (carrier: object): Context => {
    diagnostics.length = 0;
    const context = read(propagator, carrier as Record<string, unknown>);
    // An exception of the propagator would be reported there.
    expect(diagnostics).toEqual([]);
    return context;
  };

  it('give a valid caller or none, baggage of strings or none, and headers with allowed characters', () => {
    fc.assert(
      fc.property(headers, (carrier) => {
        const context = adopted(carrier);
        const span = trace.getSpanContext(context);
        if (span) {
          expect(isSpanContextValid(span)).toBe(true);
          expect(span).toMatchObject({
            traceId: expect.stringMatching(/^[\da-f]{32}$/),
            spanId: expect.stringMatching(/^[\da-f]{16}$/),
            isRemote: true,
          });
          expect(span.traceFlags & ~3).toBe(0);
        }
        for (const entry of baggageIn(context)) for (const part of entry) expect(typeof part).toBe('string');
        for (const [name, header] of Object.entries(write(propagator, context))) {
          expect(name).toMatch(/^[\w.-]+$/);
          expect(header).toMatch(/^[ -~]*$/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are read the same from the headers that are written of them', () => {
    fc.assert(
      fc.property(headers, (carrier) => {
        const context = adopted(carrier);
        const sent = write(propagator, context);
        const received = adopted(sent);
        expect(callerIn(received)).toBe(callerIn(context));
        expect(stateIn(received)).toBe(stateIn(context));
        // W3C and Jaeger cannot express that a trace is undecided.
        const isUndecided = (traitsOf(trace.getSpanContext(context)) & UNDECIDED) !== 0;
        if (name !== 'all' || !isUndecided) expect(write(propagator, received)).toEqual(sent);
      }),
      { numRuns: 500 },
    );
  });
});

const stateKey = fc.stringMatching(/^[a-z0-9][a-z0-9_\-*/@]{0,20}$/);
const stateValue = fc.stringMatching(/^[ !-+\--<>-~]{0,10}[!-+\--<>-~]$/);
const traceState = fc
  .uniqueArray(fc.tuple(stateKey, stateValue), { selector: ([key]) => key, maxLength: 12 })
  .map((members) => members.map((member) => member.join('=')).join());

describe('outgoing headers are read the same', () => {
  it.each(['tracecontext', 'b3', 'b3multi', 'jaeger', 'xray'] as const)('as %s: ids and the decision', (name) => {
    const propagator = createPropagator([name]);
    fc.assert(
      fc.property(traceId, spanId, fc.boolean(), fc.boolean(), (trace_, span, sampled, debug) => {
        const keepsDebug = name !== 'tracecontext' && name !== 'xray' && debug && sampled;
        const sent = withSpan({
          traceId: trace_,
          spanId: span,
          traceFlags: sampled ? 1 : 0,
          ...(keepsDebug && { traceState: traceStateWith(DEBUG)! }),
        });
        const received = read(propagator, write(propagator, sent));
        expect(callerIn(received)).toBe(callerIn(sent));
        expect(traitsOf(trace.getSpanContext(received))).toBe(keepsDebug ? DEBUG : 0);
      }),
    );
  });

  it('as tracecontext: flags and tracestate', () => {
    const propagator = createPropagator(['tracecontext']);
    fc.assert(
      fc.property(traceId, spanId, fc.nat(3), traceState, (trace_, span, traceFlags, state) => {
        const sent = withSpan({
          traceId: trace_,
          spanId: span,
          traceFlags,
          traceState: new TraceState(state, traceFlags & 2 ? RANDOM : 0),
        });
        const received = read(propagator, write(propagator, sent));
        expect(callerIn(received)).toBe(callerIn(sent));
        expect(stateIn(received)).toBe(state);
      }),
    );
  });

  it('as baggage with any values', () => {
    const propagator = createPropagator(['baggage']);
    const entry = fc.tuple(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }),
      fc.string({ unit: 'grapheme', maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ([key]) => key, maxLength: 20 }), (entries) => {
        const sent = withBaggage(entries);
        expect(baggageIn(read(propagator, write(propagator, sent)))).toEqual(baggageIn(sent));
      }),
    );
  });

  it('as baggage with properties', () => {
    const propagator = createPropagator(['baggage']);
    const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~\dA-Za-z]{1,8}$/);
    const octets = fc.stringMatching(/^[!#-+\--:<-[\]-~]{0,8}$/);
    const property = fc.oneof(
      token,
      fc.tuple(token, octets).map((parts) => parts.join('=')),
    );
    fc.assert(
      fc.property(fc.array(property, { minLength: 1, maxLength: 5 }), (properties) => {
        const sent = withBaggage([['a', '1', properties.join(';')]]);
        expect(baggageIn(read(propagator, write(propagator, sent)))).toEqual([['a', '1', properties.join(';')]]);
      }),
    );
  });

  it('as baggage of at most 8192 bytes, in whole entries', () => {
    const entry = fc.tuple(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ unit: 'binary', maxLength: 3000 }),
    );
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 12 }), (entries) => {
        const context = withBaggage(entries);
        const wellFormed = (part: string) => Buffer.from(part).toString();
        const all = baggageIn(context).map(([key, content]) => [wellFormed(key!), wellFormed(content!)].join('\n'));
        const sent = write(createPropagator(['baggage']), context);
        expect((sent.baggage ?? '').length).toBeLessThanOrEqual(8192);
        for (const received of baggageIn(read(createPropagator(['baggage']), sent))) {
          expect(all).toContain(received.join('\n'));
        }
      }),
    );
  });
});

describe('a huge header', () => {
  const SIZE = 200_000;
  const fill = (piece: string) => piece.repeat(SIZE / piece.length);
  const start = `cc-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

  it.each([
    ['blanks', fill(' ')],
    ['commas', fill(',')],
    ['commas and blanks', fill(' ,')],
    ['members', fill('a=1,')],
    ['malformed members', fill('A=1,')],
    ['equals signs', fill('=')],
    ['semicolons', `a=1${fill(';')}`],
    ['properties', `a=1${fill(';p=1')}`],
    ['percent signs', `a=${fill('%')}`],
    ['bytes that are no UTF-8', `a=${fill('%FF')}`],
    ['colons', fill(':')],
    ['dashes', fill('-')],
    ['digits', fill('0')],
    ['fields', fill('Root=1;')],
    ['other fields', fill('Self=1;')],
    ['a version to come', start + fill('-')],
    ['a key without end', `${fill('k')}=1`],
    ['a value without end', `a=${fill('v ')}`],
  ])('is read in a time that is linear in its size: %s', (_, huge) => {
    const carrier: Record<string, unknown> = { traceparent: start, 'uberctx-b': huge };
    for (const name of [
      'tracestate',
      'baggage',
      'b3',
      'x-b3-traceid',
      'x-b3-spanid',
      'uber-trace-id',
      'x-amzn-trace-id',
    ]) {
      carrier[name] = huge;
    }
    const propagator = createPropagator(FORMATS);
    const before = process.cpuUsage();
    const context = read(propagator, carrier);
    stateIn(context);
    read(propagator, { ...carrier, traceparent: huge });
    write(propagator, context);
    // Many times the usual time. If the time were quadratic in the size, it would be minutes.
    const { user } = process.cpuUsage(before);
    expect(user).toBeLessThan(2_000_000);
    expect(propagation.getBaggage(context)?.getAllEntries().length ?? 0).toBeLessThanOrEqual(180);
  });
});
