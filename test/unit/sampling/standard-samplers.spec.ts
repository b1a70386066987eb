import { describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { AlwaysOnSampler, ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import * as fc from 'fast-check';
import { alwaysOn, parentBased, ratioSampler } from '../../../lib/sampling/standard-samplers.js';
import { TraceId } from '../../../lib/tracer/trace-ids.js';

const traceId = fc.oneof(
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdefABCDEF')), minLength: 32, maxLength: 32 }),
  // The ids around the bound of a ratio: all words but one are zero.
  fc
    .tuple(fc.nat(3), fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.constantFrom(0x7fffffff, 0x80000000)))
    .map(([place, word]) =>
      Array.from({ length: 4 }, (_, index) => (index === place ? word : 0).toString(16).padStart(8, '0')).join(''),
    ),
);
const ratio = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.constantFrom(0, 1, 0.5, 1e-10, 1 - 1e-10, 2 ** -32),
);

describe('the ratio sampler', () => {
  it('samples the traces that the sampler of the SDK samples', () => {
    fc.assert(
      fc.property(
        traceId.filter((id) => /[^0]/.test(id)),
        ratio,
        (id, fraction) => {
          const sampler = ratioSampler(fraction);
          const expected = new TraceIdRatioBasedSampler(fraction).shouldSample(ROOT_CONTEXT, id);
          expect(sampler.shouldSample(ROOT_CONTEXT, id, '', SpanKind.INTERNAL, {}, [])).toEqual(expected);
          expect(sampler.samplesTrace(TraceId.parse(id))).toBe(expected.decision === 2);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it.each([0, 0.1, 0.5, 1])('samples the fraction of random traces: %d', (fraction) => {
    const sampler = ratioSampler(fraction);
    let sampled = 0;
    for (let index = 0; index < 10_000; index++) if (sampler.samplesTrace(TraceId.random())) sampled++;
    // Six standard deviations.
    expect(Math.abs(sampled - 10_000 * fraction)).toBeLessThanOrEqual(600 * Math.sqrt(fraction * (1 - fraction)));
  });
});

describe('the parent-based sampler', () => {
  const spanContext = fc.record({
    traceId: fc.constantFrom('a'.repeat(32), '0'.repeat(32), 'none'),
    spanId: fc.constantFrom('b'.repeat(16), '0'.repeat(16)),
    traceFlags: fc.integer({ min: 0, max: 255 }),
    isRemote: fc.boolean(),
  });

  it('decides as that of the SDK', () => {
    const root = ratioSampler(0);
    const own = [parentBased(alwaysOn), parentBased(root)];
    const sdk = [new ParentBasedSampler({ root: new AlwaysOnSampler() }), new ParentBasedSampler({ root })];
    fc.assert(
      fc.property(fc.option(spanContext, { nil: undefined }), fc.nat(1), (parent, index) => {
        const within = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
        const [one, other] = [own, sdk].map((samplers) =>
          samplers[index]!.shouldSample(within, 'c'.repeat(32), 'work', SpanKind.INTERNAL, {}, []),
        );
        expect(one).toEqual(other);
      }),
    );
  });
});

it('the samplers have the names of those of the SDK', () => {
  expect(ratioSampler(0.5).toString()).toBe(new TraceIdRatioBasedSampler(0.5).toString());
  expect(alwaysOn.toString()).toBe(new AlwaysOnSampler().toString());
  expect(parentBased(alwaysOn).toString()).toBe('ParentBased{root=AlwaysOnSampler}');
});
