import { describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, trace, type TextMapPropagator } from '@opentelemetry/api';
import { setDiagnosticsSink } from '../../../lib/core/diagnostics.js';
import { suppressTracing } from '../../../lib/core/suppression.js';
import { samplingRequestIn } from '../../../lib/propagation/sampling-request.js';
import { DEBUG, RANDOM, TraceState, traitsOf } from '../../../lib/propagation/trace-state.js';
import { createPropagator } from '../../../lib/sdk/propagators.js';
import { baggageIn, callerIn, read, SPAN, stateIn, TRACE, withBaggage, withSpan, write } from './messages.js';

setDiagnosticsSink({ warn() {} });

const OTHER = 'f'.repeat(32);
const w3c = `00-${TRACE}-${SPAN}-01`;
const all = ['tracecontext', 'baggage', 'b3', 'b3multi', 'jaeger'] as const;

const broken: TextMapPropagator = {
  inject() {
    throw new Error('inject broke');
  },
  extract() {
    throw new Error('extract broke');
  },
  fields: () => ['x-broken'],
};

describe('several formats', () => {
  it('are all written', () => {
    const context = withBaggage([['a', '1']], withSpan({ traceState: new TraceState('x=1', RANDOM) }));
    expect(write(createPropagator(all), context)).toEqual({
      traceparent: `00-${TRACE}-${SPAN}-03`,
      tracestate: 'x=1',
      baggage: 'a=1',
      b3: `${TRACE}-${SPAN}-1`,
      'x-b3-traceid': TRACE,
      'x-b3-spanid': SPAN,
      'x-b3-sampled': '1',
      'uber-trace-id': `${TRACE}:${SPAN}:0:01`,
      'uberctx-a': '1',
    });
  });

  it('have a list of fields that stays, whatever a caller does to the list that it got', () => {
    const propagator = createPropagator(['tracecontext', 'b3']);
    propagator.fields().splice(0, 2, 'x-other');
    expect(propagator.fields()).toEqual(['traceparent', 'tracestate', 'b3']);
  });

  it('name each field once', () => {
    expect(createPropagator([...all, 'b3']).fields()).toEqual([
      'traceparent',
      'tracestate',
      'baggage',
      'b3',
      'x-b3-traceid',
      'x-b3-spanid',
      'x-b3-sampled',
      'x-b3-flags',
      'x-b3-parentspanid',
      'uber-trace-id',
    ]);
  });

  const one = { traceparent: w3c, b3: `${OTHER}-${SPAN}-1`, 'uber-trace-id': `${SPAN}:${SPAN}:0:1` };

  it.each([
    [['tracecontext', 'b3', 'jaeger'], `0000000000000000${SPAN}`],
    [['jaeger', 'tracecontext', 'b3'], OTHER],
    [['b3', 'jaeger', 'tracecontext'], TRACE],
  ] as const)('of different traces: the last of %j wins', (names, traceId) => {
    expect(callerIn(read(createPropagator(names), one))).toBe(`${traceId}-${SPAN}-1`);
  });

  it.each([
    ['absent', {}],
    ['malformed', { b3: 'x', 'uber-trace-id': 'zz:zz:0:1', 'x-b3-traceid': '0' }],
    ['of zeros', { b3: `${'0'.repeat(32)}-${SPAN}-1`, 'uber-trace-id': '0:0:0:0' }],
    ['a sampling request without ids', { b3: '0' }],
  ])('that come later and are %s take nothing away', (_, others) => {
    const context = read(createPropagator(all), { traceparent: w3c, tracestate: 'x=1', baggage: 'a=1', ...others });
    expect([callerIn(context), stateIn(context), baggageIn(context)]).toEqual([
      `${TRACE}-${SPAN}-1`,
      'x=1',
      [['a', '1']],
    ]);
  });

  it('of one trace complete each other', () => {
    const headers = {
      traceparent: `00-${TRACE}-${SPAN}-03`,
      tracestate: 'x=1',
      b3: `${TRACE}-${SPAN}`,
      'uber-trace-id': `${TRACE}:${SPAN}:0:3`,
    };
    for (const names of [all, all.toReversed()]) {
      const context = read(createPropagator(names), headers);
      expect(callerIn(context)).toBe(`${TRACE}-${SPAN}-3`);
      expect(stateIn(context)).toBe('x=1');
      expect(traitsOf(trace.getSpanContext(context))).toBe(RANDOM | DEBUG);
    }
  });

  it('of one trace that disagree on the sampling: the last has decided', () => {
    const headers = { traceparent: w3c, b3: `${TRACE}-${SPAN}-0` };
    expect(callerIn(read(createPropagator(['tracecontext', 'b3']), headers))).toBe(`${TRACE}-${SPAN}-0`);
    expect(callerIn(read(createPropagator(['b3', 'tracecontext']), headers))).toBe(`${TRACE}-${SPAN}-1`);
    const debugged = read(createPropagator(['b3', 'tracecontext']), {
      b3: `${TRACE}-${SPAN}-d`,
      traceparent: `00-${TRACE}-${SPAN}-00`,
    });
    expect(write(createPropagator(['b3']), debugged)).toEqual({ b3: `${TRACE}-${SPAN}-0` });
  });

  it('of different traces are not mixed', () => {
    const headers = { b3: `${TRACE}-${SPAN}-d`, traceparent: `00-${OTHER}-${SPAN}-00` };
    const context = read(createPropagator(['b3', 'tracecontext']), headers);
    expect(write(createPropagator(['b3', 'jaeger']), context)).toEqual({
      b3: `${OTHER}-${SPAN}-0`,
      'uber-trace-id': `${OTHER}:${SPAN}:0:00`,
    });
    const reversed = read(createPropagator(['tracecontext', 'b3']), { ...headers, tracestate: 'x=1' });
    expect(stateIn(reversed)).toBe('');
  });

  it.each([
    [
      ['baggage', 'jaeger'],
      [
        ['a', '1'],
        ['b', 'jaeger'],
        ['c', '3'],
      ],
    ],
    [
      ['jaeger', 'baggage'],
      [
        ['b', 'w3c'],
        ['c', '3'],
        ['a', '1'],
      ],
    ],
  ] as const)('of baggage complete each other, the last of %j winning', (names, expected) => {
    const headers = { baggage: 'a=1,b=w3c', 'uberctx-b': 'jaeger', 'uberctx-c': '3' };
    expect(baggageIn(read(createPropagator(names), headers))).toEqual(expected);
  });

  it('of baggage keep the properties of an entry that another format repeats', () => {
    const headers = { baggage: 'a=1;p,b=2;p', 'uberctx-a': '1', 'uberctx-b': '3' };
    expect(baggageIn(read(createPropagator(['baggage', 'jaeger']), headers))).toEqual([
      ['a', '1', 'p'],
      ['b', '3'],
    ]);
  });

  it('replace the active baggage, if they have some', () => {
    const within = withBaggage([['mine', '1']]);
    expect(baggageIn(read(createPropagator(all), { baggage: 'a=1' }, within))).toEqual([['a', '1']]);
    expect(baggageIn(read(createPropagator(all), { traceparent: w3c }, within))).toEqual([['mine', '1']]);
    expect(read(createPropagator(all), {}, within)).toBe(within);
  });

  it('are read and written if one throws', () => {
    const propagator = createPropagator([broken, 'tracecontext', broken, 'baggage', broken]);
    const headers = { traceparent: w3c, baggage: 'a=1' };
    const context = read(propagator, headers);
    expect(callerIn(context)).toBe(`${TRACE}-${SPAN}-1`);
    expect(write(propagator, context)).toEqual(headers);
  });

  it('are read if the carrier throws', () => {
    const carrier = {
      get traceparent(): string {
        throw new Error('the carrier broke');
      },
      b3: `${TRACE}-${SPAN}-1`,
    };
    expect(callerIn(read(createPropagator(all), carrier))).toBe(`${TRACE}-${SPAN}-1`);
  });

  it('are not written if tracing is suppressed', () => {
    const context = suppressTracing(withBaggage([['a', '1']], withSpan()));
    expect(write(createPropagator(all), context)).toEqual({});
  });

  it('keep a sampling request for a new trace', () => {
    expect(samplingRequestIn(read(createPropagator(all), { b3: '0' }))).toEqual({ sampled: false, debug: false });
    expect(samplingRequestIn(read(createPropagator(all), {}))).toBeUndefined();
    expect(samplingRequestIn(ROOT_CONTEXT)).toBeUndefined();
  });
});

describe('the baggage that is propagated', () => {
  const context = withBaggage([
    ['a', '1'],
    ['b', '2'],
    ['c', '3'],
  ]);
  const seen: TextMapPropagator = {
    inject: (from, carrier, setter) => setter.set(carrier, 'x-seen', JSON.stringify(baggageIn(from))),
    extract: (from) => from,
    fields: () => ['x-seen'],
  };

  it.each<[what: string, mayLeave: ((key: string) => boolean) | undefined, left: string[]]>([
    ['is all of it by default', undefined, ['a', 'b', 'c']],
    ['is what is named', (key) => key !== 'b', ['a', 'c']],
    ['may be nothing', () => false, []],
    ['is nothing where the answer is no clear one', (() => Promise.resolve(true)) as unknown as () => boolean, []],
    [
      'is nothing where the answer is an error',
      (key) => {
        if (key === 'c') return true;
        throw new Error('propagate broke');
      },
      ['c'],
    ],
  ])('%s', (_, shouldPropagate, left) => {
    const written = write(createPropagator(['baggage', 'jaeger', seen], shouldPropagate), context);
    const keys = (text = '') =>
      text
        .split(',')
        .flatMap((member) => member.split('=', 1))
        .filter((key) => key !== '');
    expect(keys(written.baggage)).toEqual(left);
    expect(Object.keys(written).filter((name) => name.startsWith('uberctx-'))).toEqual(
      left.map((it) => `uberctx-${it}`),
    );
    expect(JSON.parse(written['x-seen']!) as string[][]).toEqual(
      baggageIn(context).filter(([key]) => left.includes(key!)),
    );
  });
});
