import { describe, expect, it } from '@jest/globals';
import { createContextKey, propagation, ROOT_CONTEXT, trace, type TextMapPropagator } from '@opentelemetry/api';
import { createPropagator } from '../../../lib/sdk/propagators.js';
import { recordWarnings } from '../../support/recorded-warnings.js';
import { unhandledRejections } from '../../support/unhandled-rejections.js';
import { callerIn, read, SPAN, TRACE, withSpan, write } from './messages.js';

const warnings = recordWarnings();

const fail = () => {
  throw new Error('broken');
};
const reject = () => Promise.reject(new Error('rejected'));

function beside(own: object): TextMapPropagator {
  const working: TextMapPropagator = {
    inject(_context, carrier, setter) {
      setter.set(carrier, 'x-own', '1');
    },
    extract: (context) => context,
    fields: () => ['x-own'],
  };
  return createPropagator(['tracecontext', { ...working, ...own }]);
}

const headers = { traceparent: `00-${TRACE}-${SPAN}-01` };

describe('a propagator of the application', () => {
  it('is used', () => {
    const key = createContextKey('own');
    const propagator = beside({ extract: (context: typeof ROOT_CONTEXT) => context.setValue(key, 'mine') });
    expect(write(propagator, withSpan({}))).toMatchObject({ 'x-own': '1' });
    expect(read(propagator, headers).getValue(key)).toBe('mine');
    expect(propagator.fields()).toEqual(['traceparent', 'tracestate', 'x-own']);
    expect(warnings).toEqual([]);
  });

  it.each<[what: string, extract: () => unknown]>([
    ['is async', () => Promise.resolve(ROOT_CONTEXT)],
    ['rejects', reject],
    ['throws', fail],
    ['returns null', () => null],
    ['returns a text', () => 'context'],
    ['returns an empty object', () => ({})],
    ['returns a context with a span that is none', () => trace.setSpan(ROOT_CONTEXT, {} as never)],
    ['returns a context with ids that are none', () => trace.setSpanContext(ROOT_CONTEXT, { traceId: 1 } as never)],
    [
      'returns a context with a trace state that is none',
      () =>
        trace.setSpanContext(ROOT_CONTEXT, { traceId: TRACE, spanId: SPAN, traceFlags: 1, traceState: {} as never }),
    ],
    ['returns a context with baggage that is none', () => propagation.setBaggage(ROOT_CONTEXT, {} as never)],
  ])('that %s in extract() takes nothing away from the others', async (_what, extract) => {
    const extracted: unknown[] = [];
    expect(await unhandledRejections(() => extracted.push(callerIn(read(beside({ extract }), headers))))).toEqual([]);
    expect(extracted).toEqual([`${TRACE}-${SPAN}-1`]);
    expect(warnings.length).toBeGreaterThan(0);
  });

  it('that returns nothing from extract() leaves the context unchanged', () => {
    expect(callerIn(read(beside({ extract: () => undefined }), headers))).toBe(`${TRACE}-${SPAN}-1`);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['throws', fail],
    ['rejects', reject],
  ])('that %s in inject() keeps no other from being written', async (_what, inject) => {
    const written: object[] = [];
    expect(await unhandledRejections(() => written.push(write(beside({ inject }), withSpan({}))))).toEqual([]);
    expect(written).toEqual([headers]);
    expect(warnings).toEqual([expect.stringContaining('A propagator threw and was ignored')]);
  });

  it.each([
    ['throws', fail],
    ['rejects', reject],
    ['returns nothing', () => undefined],
    ['returns a text', () => 'x-own'],
    ['returns a list with anything in it', () => [1, undefined]],
  ])('that %s in fields() keeps no application from starting', async (_what, fields) => {
    const listed: string[][] = [];
    expect(await unhandledRejections(() => listed.push(beside({ fields }).fields()))).toEqual([]);
    expect(listed).toEqual([['traceparent', 'tracestate']]);
  });
});
