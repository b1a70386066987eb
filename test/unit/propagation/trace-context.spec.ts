import { describe, expect, it } from '@jest/globals';
import { INVALID_SPAN_CONTEXT, ROOT_CONTEXT, createTraceState, trace } from '@opentelemetry/api';
import { traceContextPropagator as propagator } from '../../../lib/propagation/trace-context.js';
import { RANDOM, TraceState } from '../../../lib/propagation/trace-state.js';
import { callerIn, read, SPAN, stateIn, TRACE, withSpan, write } from './messages.js';

const VALID = `00-${TRACE}-${SPAN}-01`;
const caller = (flags: number) => `${TRACE}-${SPAN}-${flags}`;

describe('traceparent', () => {
  it.each<[what: string, traceparent: unknown, flags: number]>([
    ['a sampled caller', VALID, 1],
    ['a caller that is not sampled', `00-${TRACE}-${SPAN}-00`, 0],
    ['a random trace id', `00-${TRACE}-${SPAN}-02`, 2],
    ['both flags', `00-${TRACE}-${SPAN}-03`, 3],
    ['flags that are not known, which do not count', `00-${TRACE}-${SPAN}-fd`, 1],
    ['all flags', `00-${TRACE}-${SPAN}-ff`, 3],
    ['spaces and tabs around it', `\t  ${VALID} \t`, 1],
    ['a list of one', [VALID], 1],
    ['a version to come', `cc-${TRACE}-${SPAN}-01`, 1],
    ['the last version to come', `fe-${TRACE}-${SPAN}-03`, 3],
    ['a longer version to come', `cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`, 1],
    ['a longer version to come that ends there', `01-${TRACE}-${SPAN}-01-`, 1],
    ['a very long version to come', `01-${TRACE}-${SPAN}-01-${'x'.repeat(10_000)}`, 1],
  ])('reads %s', (_, traceparent, flags) => {
    const context = read(propagator, { traceparent });
    expect(callerIn(context)).toBe(caller(flags));
    expect(trace.getSpanContext(context)?.isRemote).toBe(true);
  });

  it.each<[what: string, traceparent: unknown]>([
    ['nothing', undefined],
    ['an empty one', ''],
    ['blanks', ' \t '],
    ['the forbidden version', `ff-${TRACE}-${SPAN}-01`],
    ['the first version with a point after it', `${VALID}.`],
    ['the first version with a dash after it', `${VALID}-`],
    ['the first version with more fields', `${VALID}-what-the-future-will-be-like`],
    ['a version to come with anything but a dash after it', `cc-${TRACE}-${SPAN}-01.what-the-future-will-be-like`],
    ['a version to come with a third digit of flags', `cc-${TRACE}-${SPAN}-010`],
    ['no version', `${TRACE}-${SPAN}-01`],
    ['an illegal character first', `.0-${TRACE}-${SPAN}-01`],
    ['an illegal character in the version', `0.-${TRACE}-${SPAN}-01`],
    ['an upper-case version', `CC-${TRACE}-${SPAN}-01`],
    ['a version of one digit', `0-${TRACE}-${SPAN}-01`],
    ['a version of three digits', `000-${TRACE}-${SPAN}-01`],
    ['a version of four digits', `0000-${TRACE}-${SPAN}-01`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['an illegal character at the start of the trace id', `00-.${TRACE.slice(1)}-${SPAN}-01`],
    ['an illegal character at the end of the trace id', `00-${TRACE.slice(1)}.-${SPAN}-01`],
    ['a letter after f in the trace id', `00-g${TRACE.slice(1)}-${SPAN}-01`],
    ['an upper-case trace id', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['a trace id in mixed case', `00-${TRACE.replace('a', 'A')}-${SPAN}-01`],
    ['a trace id that is too long', `00-${TRACE}0-${SPAN}-01`],
    ['a trace id that is too short', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['a trace id of 64 bits', `00-${TRACE.slice(16)}-${SPAN}-01`],
    ['a span id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['an illegal character at the start of the span id', `00-${TRACE}-.${SPAN.slice(1)}-01`],
    ['an illegal character at the end of the span id', `00-${TRACE}-${SPAN.slice(1)}.-01`],
    ['an upper-case span id', `00-${TRACE}-${SPAN.toUpperCase()}-01`],
    ['a span id that is too long', `00-${TRACE}-${SPAN}0-01`],
    ['a span id that is too short', `00-${TRACE}-${SPAN.slice(1)}-01`],
    ['an illegal character in the flags', `00-${TRACE}-${SPAN}-.0`],
    ['an illegal character at the end of the flags', `00-${TRACE}-${SPAN}-0.`],
    ['flags of other letters', `00-${TRACE}-${SPAN}-0g`],
    ['a version of other letters', `g0-${TRACE}-${SPAN}-01`],
    ['upper-case flags', `00-${TRACE}-${SPAN}-0F`],
    ['flags of one digit', `00-${TRACE}-${SPAN}-1`],
    ['flags of three digits', `00-${TRACE}-${SPAN}-001`],
    ['no flags', `00-${TRACE}-${SPAN}-`],
    ['no third dash', `00-${TRACE}-${SPAN}`],
    ['other separators', VALID.replaceAll('-', '_')],
    ['another separator between the ids', `00-${TRACE}_${SPAN}-01`],
    ['a line break before it', `\n${VALID}`],
    ['a space of another kind around it', `\u00a0${VALID}\u00a0`],
    ['digits of another script', VALID.replace('0af', '٠af')],
    ['two headers', [VALID, VALID]],
    ['two different headers', [VALID, `00-${'1'.repeat(32)}-${SPAN}-01`]],
    ['two headers that were joined', `${VALID}, ${VALID}`],
    ['two headers of a version to come that were joined', `cc-${TRACE}-${SPAN}-01-x, cc-${TRACE}-${SPAN}-01-x`],
    ['an empty list', []],
    ['a list of nothing', [undefined]],
    ['a number', 7],
    ['an object', {}],
    ['bytes', Buffer.from(VALID)],
  ])('ignores %s, and its tracestate', (_, traceparent) => {
    expect(read(propagator, { traceparent, tracestate: 'a=1' })).toBe(ROOT_CONTEXT);
  });

  it('is read by its own name only', () => {
    expect(read(propagator, { 'trace-parent': VALID, 'trace.parent': VALID })).toBe(ROOT_CONTEXT);
  });

  it.each<[flags: number, written: string]>([
    [0x00, '00'],
    [0x01, '01'],
    [0x02, '02'],
    [0x03, '03'],
    [0x04, '00'],
    [0x10, '00'],
    [0x1f, '03'],
    [0xff, '03'],
    [0x101, '01'],
    [-1, '03'],
  ])('is written with the known flags: %i', (traceFlags, written) => {
    expect(write(propagator, withSpan({ traceFlags }))).toEqual({ traceparent: `00-${TRACE}-${SPAN}-${written}` });
  });

  it('is written with the random flag of the trace, even if the SDK has removed it', () => {
    const context = withSpan({ traceFlags: 0, traceState: new TraceState('', RANDOM) });
    expect(write(propagator, context)).toEqual({ traceparent: `00-${TRACE}-${SPAN}-02` });
  });

  it('is not written without a span', () => {
    expect(write(propagator, ROOT_CONTEXT)).toEqual({});
    expect(write(propagator, trace.setSpanContext(ROOT_CONTEXT, INVALID_SPAN_CONTEXT))).toEqual({});
    expect(write(propagator, withSpan({ traceId: 'x'.repeat(32) }))).toEqual({});
  });

  it.each(['00', '01', '02', '03'])('is passed on unchanged, as version 00: %s', (flags) => {
    const context = read(propagator, { traceparent: `cc-${TRACE}-${SPAN}-${flags}-more`, tracestate: 'a=1' });
    expect(write(propagator, context)).toEqual({
      traceparent: `00-${TRACE}-${SPAN}-${flags}`,
      tracestate: 'a=1',
    });
  });
});

describe('tracestate', () => {
  it.each<[what: string, tracestate: unknown, read: string]>([
    ['one member', 'a=1', 'a=1'],
    ['several', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'],
    ['several headers, in their order', ['foo=1,bar=2', 'rojo=1', 'baz=3'], 'foo=1,bar=2,rojo=1,baz=3'],
    ['an empty header among them', ['', 'foo=1', ' ', 'bar=2'], 'foo=1,bar=2'],
    ['headers that are no text among them', ['foo=1', 7, undefined, 'bar=2'], 'foo=1,bar=2'],
  ])('is read and written: %s', (_, tracestate, expected) => {
    const context = read(propagator, { traceparent: VALID, tracestate });
    expect(callerIn(context)).toBe(caller(1));
    expect(stateIn(context)).toBe(expected);
    expect(write(propagator, context)).toEqual({ traceparent: VALID, tracestate: expected });
  });

  it.each<[what: string, tracestate: unknown]>([
    ['nothing', undefined],
    ['an empty one', ''],
    ['an empty list', []],
    ['blanks and commas', ' ,\t, ,,'],
    ['nonsense', '%%%,=,==,a'],
    ['a number', 7],
    ['an object', {}],
  ])('does not invalidate the traceparent, and is not written: %s', (_, tracestate) => {
    const context = read(propagator, { traceparent: VALID, tracestate });
    expect(callerIn(context)).toBe(caller(1));
    expect(write(propagator, context)).toEqual({ traceparent: VALID });
  });

  it('is ignored without a traceparent', () => {
    expect(read(propagator, { tracestate: 'a=1' })).toBe(ROOT_CONTEXT);
  });

  it('of another class is written by the rules of W3C', () => {
    const traceState = createTraceState('a=1').set('b', '2');
    expect(write(propagator, withSpan({ traceState })).tracestate).toBe('b=2,a=1');
    const wrong = { ...traceState, serialize: () => 'A=1,b=2\r\nx-evil: 1,c=3' } as unknown as TraceState;
    expect(write(propagator, withSpan({ traceState: wrong })).tracestate).toBeUndefined();
  });
});

describe('traceparent to the letter', () => {
  it.each([
    ['the version', `00_${TRACE}-${SPAN}-01`],
    ['the trace id', `00-${TRACE}_${SPAN}-01`],
    ['the span id', `00-${TRACE}-${SPAN}_01`],
  ])('ignores a caller with another separator after %s', (_, traceparent) => {
    expect(read(propagator, { traceparent })).toBe(ROOT_CONTEXT);
  });
});
