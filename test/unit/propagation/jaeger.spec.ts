import { describe, expect, it } from '@jest/globals';
import { INVALID_SPAN_CONTEXT, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { jaegerPropagator as propagator } from '../../../lib/propagation/jaeger.js';
import { DEBUG, RANDOM, TraceState, traitsOf } from '../../../lib/propagation/trace-state.js';
import { baggageIn, callerIn, read, SPAN, TRACE, withBaggage, withSpan, write } from './messages.js';

describe('a Jaeger caller', () => {
  it.each<[what: string, header: unknown, caller: string, traits: number]>([
    ['that is sampled', `${TRACE}:${SPAN}:0:1`, `${TRACE}-${SPAN}-1`, 0],
    ['that is not', `${TRACE}:${SPAN}:0:0`, `${TRACE}-${SPAN}-0`, 0],
    ['with two digits of flags', `${TRACE}:${SPAN}:0:01`, `${TRACE}-${SPAN}-1`, 0],
    ['that debugs', `${TRACE}:${SPAN}:0:3`, `${TRACE}-${SPAN}-1`, DEBUG],
    ['that debugs and is not sampled, which is nothing', `${TRACE}:${SPAN}:0:2`, `${TRACE}-${SPAN}-0`, 0],
    ['with undefined flags', `${TRACE}:${SPAN}:0:F9`, `${TRACE}-${SPAN}-1`, 0],
    ['with a parent', `${TRACE}:${SPAN}:5e3ac9a4f6e3b90:1`, `${TRACE}-${SPAN}-1`, 0],
    ['with an empty parent', `${TRACE}:${SPAN}::1`, `${TRACE}-${SPAN}-1`, 0],
    ['with a trace id of 64 bits', `${SPAN}:${SPAN}:0:1`, `${'0'.repeat(16)}${SPAN}-${SPAN}-1`, 0],
    ['without leading zeros', '1:2:0:1', `${'0'.repeat(31)}1-${'0'.repeat(15)}2-1`, 0],
    ['in upper case', `${TRACE.toUpperCase()}:${SPAN.toUpperCase()}:0:1`, `${TRACE}-${SPAN}-1`, 0],
    ['that is encoded', `${TRACE}%3A${SPAN}%3a0%3A1`, `${TRACE}-${SPAN}-1`, 0],
    ['with blanks around it', ` ${TRACE}:${SPAN}:0:1\t`, `${TRACE}-${SPAN}-1`, 0],
  ])('%s', (_, header, caller, traits) => {
    const context = read(propagator, { 'uber-trace-id': header });
    expect([callerIn(context), traitsOf(trace.getSpanContext(context))]).toEqual([caller, traits]);
  });

  it.each<[what: string, header: unknown]>([
    ['that says nothing', undefined],
    ['with an empty header', ''],
    ['with nonsense', 'garbage'],
    ['with other letters in its trace id', `zz:${SPAN}:0:1`],
    ['with other letters in its span id', `${TRACE}:zz:0:1`],
    ['with a trace id of zero', `0:${SPAN}:0:1`],
    ['with a span id of zero', `${TRACE}:0:0:1`],
    ['with zeros', `${'0'.repeat(32)}:${'0'.repeat(16)}:0:1`],
    ['without a trace id', `:${SPAN}:0:1`],
    ['without a span id', `${TRACE}::0:1`],
    ['with a trace id of 33 digits', `0${TRACE}:${SPAN}:0:1`],
    ['with a span id of 17 digits', `${TRACE}:0${SPAN}:0:1`],
    ['without flags', `${TRACE}:${SPAN}:0:`],
    ['with other letters in its flags', `${TRACE}:${SPAN}:0:zz`],
    ['with three digits of flags', `${TRACE}:${SPAN}:0:001`],
    ['with three fields', `${TRACE}:${SPAN}:1`],
    ['with five fields', `${TRACE}:${SPAN}:0:1:1`],
    ['with an endless parent', `${TRACE}:${SPAN}:${'1'.repeat(1000)}:1`],
    ['with a broken encoding', `${TRACE}%3${SPAN}%0%1`],
    ['that says it twice', [`${TRACE}:${SPAN}:0:1`, `${TRACE}:${SPAN}:0:1`]],
    ['that says it twice in one', `${TRACE}:${SPAN}:0:1, ${TRACE}:${SPAN}:0:1`],
    ['without text', 7],
  ])('%s is ignored', (_, header) => {
    expect(read(propagator, { 'uber-trace-id': header })).toBe(ROOT_CONTEXT);
  });

  it.each<[what: string, headers: Record<string, unknown>, expected: string[][]]>([
    [
      'baggage',
      { 'uberctx-a': '1', 'uberctx-b': '2' },
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    ['baggage with a key in mixed case', { 'UberCtx-userId': '1' }, [['userId', '1']]],
    ['baggage that is encoded', { 'uberctx-a': 'x%20%C3%BC%2B' }, [['a', 'x ü+']]],
    ['baggage that Go and Java have encoded', { 'uberctx-a': 'x+y%2Bz' }, [['a', 'x y+z']]],
    [
      'baggage with a broken encoding',
      { 'uberctx-a': '100%', 'uberctx-b': '%FF' },
      [
        ['a', '100%'],
        ['b', '\ufffd'],
      ],
    ],
    ['empty baggage', { 'uberctx-a': '' }, [['a', '']]],
    ['no baggage without a key', { 'uberctx-': 'x', uberctx: 'x', uberctxx: 'x' }, []],
    ['no baggage that is no ASCII', { 'uberctx-a': 'é', 'uberctx-b': '1' }, [['b', '1']]],
    ['no baggage that comes twice, or is no text', { 'uberctx-a': ['1', '2'], 'uberctx-b': 7 }, []],
    ['no baggage beyond 8192 bytes', { 'uberctx-a': 'x'.repeat(8200), 'uberctx-b': '1' }, [['b', '1']]],
  ])('has %s, also without ids', (_, headers, expected) => {
    const context = read(propagator, headers);
    expect(baggageIn(context)).toEqual(expected);
    expect(callerIn(context)).toBe('none');
  });
});

describe('Jaeger in outgoing headers', () => {
  it.each<[what: string, traceFlags: number, traits: number, flags: string]>([
    ['sampled', 1, 0, '01'],
    ['not sampled', 0, 0, '00'],
    ['to be debugged', 1, DEBUG, '03'],
    ['with a flag of W3C, which is no debug flag', 3, RANDOM, '01'],
    ['with undefined flags', 0xf3, 0, '01'],
  ])('%s', (_, traceFlags, traits, flags) => {
    const context = withSpan({ traceFlags, traceState: new TraceState('', traits) });
    expect(write(propagator, context)).toEqual({ 'uber-trace-id': `${TRACE}:${SPAN}:0:${flags}` });
  });

  it('is not written without a span', () => {
    expect(write(propagator, ROOT_CONTEXT)).toEqual({});
    expect(write(propagator, trace.setSpanContext(ROOT_CONTEXT, INVALID_SPAN_CONTEXT))).toEqual({});
  });

  it('has the baggage whose keys can be part of header names', () => {
    const context = withBaggage([
      ['userId', 'ü, +'],
      ['a.b_c-d', ''],
      ['a b', '1'],
      ['é', '1'],
      ['a:b', '1'],
      ['photo-bin', '1'],
      ['', '1'],
      ['x', 'x\ud800'],
    ]);
    expect(write(propagator, context)).toEqual({
      'uberctx-userId': '%C3%BC%2C%20%2B',
      'uberctx-a.b_c-d': '',
      'uberctx-x': 'x%EF%BF%BD',
    });
  });

  it('has baggage within the limits', () => {
    const context = withBaggage([
      ['a', 'x'.repeat(8190)],
      ['b', '1'],
    ]);
    expect(write(propagator, context)).toEqual({ 'uberctx-b': '1' });
    const many = withBaggage(Array.from({ length: 300 }, (_, index) => [`k${index}`, 'v'] as const));
    expect(Object.keys(write(propagator, many))).toHaveLength(180);
  });

  it.each(['00', '01', '03'])('equals the incoming header: %s', (flags) => {
    const headers = { 'uber-trace-id': `${TRACE}:${SPAN}:0:${flags}`, 'uberctx-a': 'x%20y' };
    expect(write(propagator, read(propagator, headers))).toEqual(headers);
  });
});

describe('the baggage of Jaeger', () => {
  const LIMIT = 8192;
  /** The longest value for an entry of key `a`: its header is `uberctx-a`, and one byte stands between name and value. */
  const longest = 'x'.repeat(LIMIT - 'uberctx-a'.length - 1);

  it.each([
    ['as much as there is room for', longest, true],
    ['one byte more', `${longest}x`, false],
  ])('has %s, and no more: in both directions', (_, value, fits) => {
    expect(Object.keys(write(propagator, withBaggage([['a', value]])))).toEqual(fits ? ['uberctx-a'] : []);
    expect(baggageIn(read(propagator, { 'uberctx-a': value }))).toEqual(fits ? [['a', value]] : []);
  });

  it('leaves a key out that ends in -bin, which gRPC takes for bytes, and no other', () => {
    const context = withBaggage([
      ['photo-bin', '1'],
      ['photo-bin-size', '2'],
    ]);
    expect(write(propagator, context)).toEqual({ 'uberctx-photo-bin-size': '2' });
  });
});
