import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defaultTextMapGetter, propagation, ROOT_CONTEXT, trace, type Context } from '@opentelemetry/api';
import { setDiagnosticsSink } from '../../../lib/core/diagnostics.js';
import { isCallerTrusted, resolvePlacement } from '../../../lib/core/span-placement.js';
import { createPropagator } from '../../../lib/sdk/propagators.js';
import { baggageIn, callerIn, SPAN, TRACE, withBaggage, withSpan } from '../propagation/messages.js';

const HEADERS = { traceparent: `00-${TRACE}-${SPAN}-03`, tracestate: 'a=1', baggage: 'b=1' };
const placement = (outer: Context, headers: object, trusted: boolean) =>
  resolvePlacement(outer, headers, defaultTextMapGetter, trusted);

describe('resolvePlacement()', () => {
  beforeAll(() => void propagation.setGlobalPropagator(createPropagator(['tracecontext', 'baggage'])));
  afterAll(() => propagation.disable());

  it('is below a caller that is trusted', () => {
    const { parent, links } = placement(ROOT_CONTEXT, HEADERS, true);
    expect([callerIn(parent), baggageIn(parent), links]).toEqual([`${TRACE}-${SPAN}-3`, [['b', '1']], undefined]);
  });

  it('is linked to a caller that is not trusted', () => {
    const { parent, links } = placement(ROOT_CONTEXT, HEADERS, false);
    expect([callerIn(parent), baggageIn(parent)]).toEqual(['none', []]);
    expect(links).toEqual([{ context: { traceId: TRACE, spanId: SPAN, traceFlags: 3, isRemote: true } }]);
  });

  it('is linked to a caller that another instrumentation has extracted', () => {
    const outer = withBaggage([['b', '1']], withSpan({ isRemote: true }));
    const { parent, links } = placement(outer, {}, false);
    expect([callerIn(parent), baggageIn(parent)]).toEqual(['none', []]);
    expect(links).toMatchObject([{ context: { traceId: TRACE, spanId: SPAN } }]);
  });

  it('is not linked to an invalid span that another instrumentation has extracted', () => {
    const outer = withSpan({ traceId: '0', isRemote: true });
    expect(placement(outer, {}, false).links).toBeUndefined();
  });

  it.each([true, false])('is by itself without a caller, or with a malformed one: trusted %s', (trusted) => {
    for (const headers of [{}, { ...HEADERS, traceparent: 'x', baggage: '' }]) {
      const { parent, links } = placement(ROOT_CONTEXT, headers, trusted);
      expect([trace.getSpan(parent), links]).toEqual([undefined, undefined]);
    }
  });

  it.each([true, false])('names the caller, trusted or not: %s', (trusted) => {
    expect(placement(ROOT_CONTEXT, HEADERS, trusted).caller).toMatchObject({ traceId: TRACE, spanId: SPAN });
    expect(placement(ROOT_CONTEXT, {}, trusted)).not.toHaveProperty('caller');
  });

  it.each([true, false])('takes a span of this process for no caller: trusted %s', (trusted) => {
    const { caller, links } = placement(withSpan({ isRemote: false }), {}, trusted);
    expect([caller, links]).toEqual([undefined, undefined]);
  });

  it('takes what a propagator has extracted for the caller, although it does not say that it is remote', () => {
    const before = propagation.fields();
    propagation.disable();
    propagation.setGlobalPropagator({
      inject() {},
      extract: () => withSpan({ isRemote: false }),
      fields: () => before,
    });
    expect(placement(ROOT_CONTEXT, {}, true).caller).toMatchObject({ traceId: TRACE, spanId: SPAN });
    propagation.disable();
    propagation.setGlobalPropagator(createPropagator(['tracecontext', 'baggage']));
  });

  it('survives a propagator that throws', () => {
    propagation.disable();
    const warnings: string[] = [];
    setDiagnosticsSink({ warn: (message) => warnings.push(message) });
    propagation.setGlobalPropagator({
      inject() {},
      extract() {
        throw new Error('extract broke');
      },
      fields: () => [],
    });
    expect(placement(ROOT_CONTEXT, HEADERS, true)).toEqual({ parent: ROOT_CONTEXT });
    expect(warnings).toEqual(['The propagator threw and was ignored: Error: extract broke']);
    setDiagnosticsSink();
  });
});

describe('isCallerTrusted()', () => {
  const fail = () => {
    throw new Error('trust broke');
  };
  it.each<[what: string, trustIncoming: ((caller: string) => unknown) | undefined, isTrusted: boolean]>([
    ['nothing is said', undefined, true],
    ['the application says yes to this caller', (caller) => caller === 'a caller', true],
    ['it says no', () => false, false],
    ['it says something else', () => 'yes', false],
    ['it says nothing', () => undefined, false],
    ['it answers later', () => Promise.resolve(true), false],
    ['it throws', fail, false],
  ])('where %s', (_, trustIncoming, isTrusted) => {
    setDiagnosticsSink({ warn() {} });
    expect(isCallerTrusted('http.trustIncoming', trustIncoming as () => boolean, 'a caller')).toBe(isTrusted);
    setDiagnosticsSink();
  });
});
