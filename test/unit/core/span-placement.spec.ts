import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defaultTextMapGetter, propagation, ROOT_CONTEXT, trace, type Context } from '@opentelemetry/api';
import { setDiagnosticsSink } from '../../../lib/core/diagnostics.js';
import { resolvePlacement } from '../../../lib/core/span-placement.js';
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

  it('is linked to one that is not', () => {
    const { parent, links } = placement(ROOT_CONTEXT, HEADERS, false);
    expect([callerIn(parent), baggageIn(parent)]).toEqual(['none', []]);
    expect(links).toEqual([{ context: { traceId: TRACE, spanId: SPAN, traceFlags: 3, isRemote: true } }]);
  });

  it('is linked to one that somebody else has extracted', () => {
    const outer = withBaggage([['b', '1']], withSpan({ isRemote: true }));
    const { parent, links } = placement(outer, {}, false);
    expect([callerIn(parent), baggageIn(parent)]).toEqual(['none', []]);
    expect(links).toMatchObject([{ context: { traceId: TRACE, spanId: SPAN } }]);
  });

  it('is not linked to what somebody else has extracted wrongly', () => {
    const outer = withSpan({ traceId: '0', isRemote: true });
    expect(placement(outer, {}, false).links).toBeUndefined();
  });

  it.each([true, false])('is by itself without a caller, or with a malformed one: trusted %s', (trusted) => {
    for (const headers of [{}, { ...HEADERS, traceparent: 'x', baggage: '' }]) {
      const { parent, links } = placement(ROOT_CONTEXT, headers, trusted);
      expect([trace.getSpan(parent), links]).toEqual([undefined, undefined]);
    }
  });

  it('survives a propagator that throws', () => {
    propagation.disable();
    setDiagnosticsSink({ warn() {} });
    propagation.setGlobalPropagator({
      inject() {},
      extract() {
        throw new Error('extract broke');
      },
      fields: () => [],
    });
    expect(placement(ROOT_CONTEXT, HEADERS, true)).toEqual({ parent: ROOT_CONTEXT });
    setDiagnosticsSink();
  });
});
