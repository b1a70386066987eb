import {
  ROOT_CONTEXT,
  SpanKind,
  TraceFlags,
  baggageEntryMetadataFromString,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  trace,
  type Context,
  type TextMapPropagator,
} from '@opentelemetry/api';
import { describe, expect, it } from '@jest/globals';
import type { ResolvedOptions } from '../../../lib/options/resolve-options.js';
import { createPropagator } from '../../../lib/sdk/propagators.js';
import { createResource } from '../../../lib/sdk/resource.js';
import { createSampling } from '../../../lib/sampling/create-sampling.js';
import type { SamplerName } from '../../../lib/options/sampler.js';
import type { Sampler } from '../../../lib/options/sdk-types.js';

const LOW = '00000000000000000000000000000001';
const HIGH = 'ffffffff000000000000000000000001';

function parent(traceId: string, sampled: boolean): Context {
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: '00f067aa0ba902b7', traceFlags, isRemote: true });
}

describe('createSampling', () => {
  const kept = (sampler: Sampler, context: Context, traceId: string) =>
    sampler.shouldSample(context, traceId, 'name', SpanKind.INTERNAL, {}, []).decision === 2;

  it.each<[type: SamplerName, roots: boolean[], underSampled: boolean, underUnsampled: boolean]>([
    ['always_on', [true, true], true, true],
    ['always_off', [false, false], false, false],
    ['traceidratio', [true, false], true, true],
    ['parentbased_always_on', [true, true], true, false],
    ['parentbased_always_off', [false, false], true, false],
    ['parentbased_traceidratio', [true, false], true, false],
  ])('%s', (type, roots, underSampled, underUnsampled) => {
    const { sampler } = createSampling({ type, ratio: 0.5 }, 'shop');
    expect([LOW, HIGH].map((traceId) => kept(sampler, ROOT_CONTEXT, traceId))).toEqual(roots);
    expect(kept(sampler, parent(LOW, true), LOW)).toBe(underSampled);
    expect(kept(sampler, parent(LOW, false), LOW)).toBe(underUnsampled);
  });

  it('samples the ratio of the options', () => {
    const ofRatio = (ratio: number) => createSampling({ type: 'traceidratio', ratio }, 'shop').sampler;
    expect(kept(ofRatio(1), ROOT_CONTEXT, HIGH)).toBe(true);
    expect(kept(ofRatio(0), ROOT_CONTEXT, LOW)).toBe(false);
  });

  it('uses a sampler of the application', () => {
    const sampler = { shouldSample: () => ({ decision: 0 }) };
    expect(kept(createSampling({ type: 'custom', sampler }, 'shop').sampler, ROOT_CONTEXT, LOW)).toBe(false);
  });
});

describe('createPropagator', () => {
  const baggage = propagation.createBaggage({ tenant: { value: 'a', metadata: baggageEntryMetadataFromString('') } });
  const outgoing = propagation.setBaggage(parent(HIGH, true), baggage);

  function inject(propagators: ResolvedOptions['propagators']): Record<string, string> {
    const carrier: Record<string, string> = {};
    createPropagator(propagators).inject(outgoing, carrier, defaultTextMapSetter);
    return carrier;
  }

  const extract = (propagators: ResolvedOptions['propagators'], carrier: object) =>
    trace.getSpanContext(createPropagator(propagators).extract(ROOT_CONTEXT, carrier, defaultTextMapGetter))?.traceId;

  it.each<[propagators: ResolvedOptions['propagators'], headers: string[]]>([
    [['tracecontext'], ['traceparent']],
    [['baggage'], ['baggage']],
    [['b3'], ['b3']],
    [['b3multi'], ['x-b3-sampled', 'x-b3-spanid', 'x-b3-traceid']],
    [['jaeger'], ['uber-trace-id', 'uberctx-tenant']],
    [['xray'], ['x-amzn-trace-id']],
    [
      ['tracecontext', 'b3', 'baggage'],
      ['b3', 'baggage', 'traceparent'],
    ],
    [[], []],
  ])('%j writes %j', (propagators, headers) => {
    expect(Object.keys(inject(propagators)).toSorted()).toEqual(headers);
  });

  it.each<[propagators: ResolvedOptions['propagators']]>([
    [['tracecontext']],
    [['b3']],
    [['b3multi']],
    [['jaeger']],
    [['xray']],
  ])('%j reads what it writes', (propagators) => {
    expect(extract(propagators, inject(propagators))).toBe(HIGH);
  });

  it('gives precedence to a later one', () => {
    const carrier = { traceparent: `00-${LOW}-00f067aa0ba902b7-01`, b3: `${HIGH}-00f067aa0ba902b7-1` };
    expect(extract(['tracecontext', 'b3'], carrier)).toBe(HIGH);
    expect(extract(['b3', 'tracecontext'], carrier)).toBe(LOW);
  });

  it('uses a propagator of the application, and ignores exceptions of another one', () => {
    const custom: TextMapPropagator = {
      inject: (_context, carrier, setter) => setter.set(carrier, 'x-mine', '1'),
      extract: () => {
        throw new Error('broken');
      },
      fields: () => ['x-mine'],
    };
    expect(inject([custom, 'b3'])).toMatchObject({ 'x-mine': '1', b3: expect.any(String) });
    expect(extract([custom, 'b3'], inject(['b3']))).toBe(HIGH);
    expect(createPropagator([custom, 'b3']).fields()).toContain('x-mine');
  });

  it('does not change the context without a propagator', () => {
    const none = createPropagator([]);
    expect(none.extract(outgoing, { traceparent: 'x' }, defaultTextMapGetter)).toBe(outgoing);
    expect(none.fields()).toEqual([]);
  });
});

describe('createResource', () => {
  it('has the attributes of the application and of the SDK', () => {
    const { attributes, asyncAttributesPending } = createResource({ 'service.name': 'orders', 'host.name': 'pod-1' });
    expect(attributes).toMatchObject({
      'service.name': 'orders',
      'host.name': 'pod-1',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': 'opentelemetry',
    });
    expect(asyncAttributesPending ?? false).toBe(false);
  });
});
