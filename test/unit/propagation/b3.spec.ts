import { describe, expect, it } from '@jest/globals';
import { INVALID_SPAN_CONTEXT, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { b3MultiPropagator, b3Propagator } from '../../../lib/propagation/b3.js';
import { samplingRequestIn } from '../../../lib/propagation/sampling-request.js';
import { DEBUG, RANDOM, TraceState, traitsOf, UNDECIDED } from '../../../lib/propagation/trace-state.js';
import { callerIn, read, SPAN, TRACE, withSpan, write, type Headers } from './messages.js';

const SHORT = TRACE.slice(16);
const PADDED = '0'.repeat(16) + SHORT;

/** Returns the ids and flags of the extracted caller, and the traits of its trace. */
function adopted(headers: Headers): [caller: string, traits: number] {
  // Both propagators read both formats.
  const [single, multi] = [b3Propagator, b3MultiPropagator].map((propagator) => read(propagator, headers));
  expect(callerIn(multi!)).toBe(callerIn(single!));
  return [callerIn(single!), traitsOf(trace.getSpanContext(single!))];
}

const multi = (traceId?: unknown, spanId?: unknown, sampled?: unknown, flags?: unknown): Headers => ({
  ...(traceId !== undefined && { 'x-b3-traceid': traceId }),
  ...(spanId !== undefined && { 'x-b3-spanid': spanId }),
  ...(sampled !== undefined && { 'x-b3-sampled': sampled }),
  ...(flags !== undefined && { 'x-b3-flags': flags }),
});

describe('a b3 caller', () => {
  it.each<[what: string, headers: Headers, caller: string, traits: number]>([
    ['that accepts', { b3: `${TRACE}-${SPAN}-1` }, `${TRACE}-${SPAN}-1`, 0],
    ['that denies', { b3: `${TRACE}-${SPAN}-0` }, `${TRACE}-${SPAN}-0`, 0],
    ['that debugs', { b3: `${TRACE}-${SPAN}-d` }, `${TRACE}-${SPAN}-1`, DEBUG],
    ['that leaves it to us', { b3: `${TRACE}-${SPAN}` }, `${TRACE}-${SPAN}-0`, UNDECIDED],
    ['with a parent', { b3: `${TRACE}-${SPAN}-1-05e3ac9a4f6e3b90` }, `${TRACE}-${SPAN}-1`, 0],
    ['with a parent and no decision', { b3: `${TRACE}-${SPAN}-05e3ac9a4f6e3b90` }, `${TRACE}-${SPAN}-0`, UNDECIDED],
    ['with a trace id of 64 bits', { b3: `${SHORT}-${SPAN}-1` }, `${PADDED}-${SPAN}-1`, 0],
    ['with blanks around it', { b3: ` \t${TRACE}-${SPAN}-1 ` }, `${TRACE}-${SPAN}-1`, 0],
    ['in a list of one', { b3: [`${TRACE}-${SPAN}-1`] }, `${TRACE}-${SPAN}-1`, 0],
    ['in several headers that accepts', multi(TRACE, SPAN, '1'), `${TRACE}-${SPAN}-1`, 0],
    ['in several headers that denies', multi(TRACE, SPAN, '0'), `${TRACE}-${SPAN}-0`, 0],
    ['in several headers that debugs', multi(TRACE, SPAN, undefined, '1'), `${TRACE}-${SPAN}-1`, DEBUG],
    ['in several headers that debugs and denies', multi(TRACE, SPAN, '0', '1'), `${TRACE}-${SPAN}-1`, DEBUG],
    ['in several headers that leaves it to us', multi(TRACE, SPAN), `${TRACE}-${SPAN}-0`, UNDECIDED],
    ['in several headers of before the specification: true', multi(TRACE, SPAN, 'true'), `${TRACE}-${SPAN}-1`, 0],
    ['in several headers of before the specification: False', multi(TRACE, SPAN, 'False'), `${TRACE}-${SPAN}-0`, 0],
    ['in several headers with a decision of its own', multi(TRACE, SPAN, 'maybe'), `${TRACE}-${SPAN}-0`, UNDECIDED],
    ['in several headers with flags of its own', multi(TRACE, SPAN, '1', '3'), `${TRACE}-${SPAN}-1`, 0],
    ['in several headers with two decisions', multi(TRACE, SPAN, ['0', '1']), `${TRACE}-${SPAN}-0`, UNDECIDED],
    ['in several headers of 64 bits', multi(SHORT, SPAN, '1'), `${PADDED}-${SPAN}-1`, 0],
    [
      'in both: one header goes first',
      { b3: `${TRACE}-${SPAN}-1`, ...multi(SHORT, SPAN, '0') },
      `${TRACE}-${SPAN}-1`,
      0,
    ],
    ['in both, the one header malformed', { b3: 'x', ...multi(TRACE, SPAN, '1') }, `${TRACE}-${SPAN}-1`, 0],
  ])('%s', (_, headers, caller, traits) => {
    expect(adopted(headers)).toEqual([caller, traits]);
  });

  it.each<[what: string, headers: Headers]>([
    ['that says nothing', {}],
    ['with an empty header', { b3: '' }],
    ['with a decision that is none', { b3: 'x' }],
    ['with text before', { b3: `x${TRACE}-${SPAN}-1` }],
    ['with text after', { b3: `${TRACE}-${SPAN}-1x` }],
    ['with a trace id of 65 digits', { b3: `${TRACE}${TRACE}0-${SPAN}-1` }],
    ['with a trace id of 64 digits', { b3: `${TRACE}${TRACE}-${SPAN}-1` }],
    ['with a trace id of 31 digits', { b3: `${TRACE.slice(1)}-${SPAN}-1` }],
    ['with a trace id of zeros', { b3: `${'0'.repeat(32)}-${SPAN}-1` }],
    ['with a short trace id of zeros', { b3: `${'0'.repeat(16)}-${SPAN}-1` }],
    ['with an upper-case trace id', { b3: `${TRACE.toUpperCase()}-${SPAN}-1` }],
    ['with a trace id of other letters', { b3: `${TRACE.slice(1)}g-${SPAN}-1` }],
    ['with a span id of zeros', { b3: `${TRACE}-${'0'.repeat(16)}-1` }],
    ['with a span id of 17 digits', { b3: `${TRACE}-${SPAN}0-1` }],
    ['with a span id of 15 digits', { b3: `${TRACE}-${SPAN.slice(1)}-1` }],
    ['with a span id of 32 digits', { b3: `${TRACE}-${TRACE}-1` }],
    ['with another sampling state', { b3: `${TRACE}-${SPAN}-x` }],
    ['with a sampling state in full', { b3: `${TRACE}-${SPAN}-true` }],
    ['with an empty sampling state', { b3: `${TRACE}-${SPAN}-` }],
    ['with a parent of 15 digits', { b3: `${TRACE}-${SPAN}-1-${SPAN.slice(1)}` }],
    ['with a parent of other letters', { b3: `${TRACE}-${SPAN}-1-${SPAN.slice(1)}g` }],
    ['with a parent only', { b3: `${TRACE}-${SPAN}-${SPAN.slice(1)}g` }],
    ['with more after the parent', { b3: `${TRACE}-${SPAN}-1-${SPAN}-1` }],
    ['with other separators', { b3: `${TRACE}:${SPAN}:1` }],
    ['with no trace id', { b3: `-${SPAN}-1` }],
    ['that says it twice', { b3: [`${TRACE}-${SPAN}-1`, `${TRACE}-${SPAN}-1`] }],
    ['that says it twice in one', { b3: `${TRACE}-${SPAN}-1, ${TRACE}-${SPAN}-1` }],
    ['without text', { b3: 7 }],
    ['in several headers, without a span id', multi(TRACE, undefined, '1')],
    ['in several headers, without a trace id', multi(undefined, SPAN, '1')],
    ['in several headers, with a short trace id', multi('abc', SPAN, '1')],
    ['in several headers, with an upper-case trace id', multi(TRACE.toUpperCase(), SPAN, '1')],
    ['in several headers, with a span id of zeros', multi(TRACE, '0'.repeat(16), '1')],
    ['in several headers, with two trace ids', multi([TRACE, TRACE], SPAN, '1')],
    ['in several headers, without text', multi(7, {}, null, [])],
  ])('%s is ignored', (_, headers) => {
    expect(read(b3Propagator, headers)).toBe(ROOT_CONTEXT);
    expect(read(b3MultiPropagator, headers)).toBe(ROOT_CONTEXT);
  });

  it.each<[headers: Headers, request: object]>([
    [{ b3: '0' }, { sampled: false, debug: false }],
    [{ b3: '1' }, { sampled: true, debug: false }],
    [{ b3: 'd' }, { sampled: true, debug: true }],
    [multi(undefined, undefined, '0'), { sampled: false, debug: false }],
    [multi(undefined, undefined, '1'), { sampled: true, debug: false }],
    [multi(undefined, undefined, undefined, '1'), { sampled: true, debug: true }],
  ])('without ids makes a sampling request: %j', (headers, request) => {
    const context = read(b3Propagator, headers);
    expect(callerIn(context)).toBe('none');
    expect(samplingRequestIn(context)).toEqual(request);
  });
});

describe('b3 in outgoing headers', () => {
  it.each<[what: string, traceFlags: number, traits: number, state: string, headers: Record<string, string>]>([
    ['sampled', 1, 0, '-1', { 'x-b3-sampled': '1' }],
    ['not sampled', 0, 0, '-0', { 'x-b3-sampled': '0' }],
    ['with flags of W3C', 3, RANDOM, '-1', { 'x-b3-sampled': '1' }],
    ['not sampled, with flags of W3C', 2, RANDOM, '-0', { 'x-b3-sampled': '0' }],
    ['to be debugged', 1, DEBUG, '-d', { 'x-b3-flags': '1' }],
    ['not decided', 0, UNDECIDED, '', {}],
  ])('%s', (_, traceFlags, traits, state, headers) => {
    const context = withSpan({ traceFlags, traceState: new TraceState('', traits) });
    expect(write(b3Propagator, context)).toEqual({ b3: `${TRACE}-${SPAN}${state}` });
    expect(write(b3MultiPropagator, context)).toEqual({
      'x-b3-traceid': TRACE,
      'x-b3-spanid': SPAN,
      ...headers,
    });
  });

  it('is not written without a span', () => {
    for (const propagator of [b3Propagator, b3MultiPropagator]) {
      expect(write(propagator, ROOT_CONTEXT)).toEqual({});
      expect(write(propagator, trace.setSpanContext(ROOT_CONTEXT, INVALID_SPAN_CONTEXT))).toEqual({});
    }
  });

  it.each(['-0', '-1', '-d', ''])('equals the incoming state, also in the other format: %j', (state) => {
    const b3 = `${TRACE}-${SPAN}${state}`;
    const context = read(b3Propagator, { b3 });
    expect(write(b3Propagator, context)).toEqual({ b3 });
    expect(write(b3Propagator, read(b3MultiPropagator, write(b3MultiPropagator, context)))).toEqual({ b3 });
  });
});

describe('b3 to the letter', () => {
  it.each<[what: string, headers: Headers]>([
    ['another separator before the sampling state', { b3: `${TRACE}-${SPAN}:1` }],
    ['another separator before the parent', { b3: `${TRACE}-${SPAN}-1:${SPAN}` }],
    ['another separator before the parent, without a decision', { b3: `${TRACE}-${SPAN}:${SPAN}` }],
    ['several headers and a span id of 15 digits', multi(TRACE, SPAN.slice(1), '1')],
    ['several headers and a span id of 17 digits', multi(TRACE, `${SPAN}0`, '1')],
  ])('ignores a caller with %s', (_, headers) => {
    expect(read(b3Propagator, headers)).toBe(ROOT_CONTEXT);
  });

  it('sets no header for a decision that is open: an undefined one would break the request', () => {
    const context = withSpan({ traceFlags: 0, traceState: new TraceState('', UNDECIDED) });
    expect(Object.keys(write(b3MultiPropagator, context))).toEqual(['x-b3-traceid', 'x-b3-spanid']);
  });
});
