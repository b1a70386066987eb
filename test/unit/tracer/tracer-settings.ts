import type { Attributes } from '@opentelemetry/api';
import * as fc from 'fast-check';
import type { ResolvedSampler } from '../../../lib/options/sampler.js';
import type { SpanLimits } from '../../../lib/tracer/span-limits.js';

interface CustomSampler {
  readonly type: 'custom';
  /** A decision for each length of a name. */
  readonly decisions: readonly number[];
  readonly attributes: Attributes | undefined;
  readonly traceState: string | undefined;
  /** True if the sampler changes the attributes that it is given. */
  readonly mutates: boolean;
}
export type SamplerChoice = CustomSampler | Exclude<ResolvedSampler, { type: 'custom' } | { endpoint: string }>;

/** The options of a tracer. */
export interface Setting {
  readonly sampler: SamplerChoice;
  readonly limits: SpanLimits;
  /** What the processor of the application does. */
  readonly changes: { readonly onStart: boolean; readonly onEnding: boolean };
  readonly isObserved: boolean;
}

const sampler = fc.oneof<fc.Arbitrary<SamplerChoice>[]>(
  fc.constantFrom<SamplerChoice>(
    { type: 'always_on', ratio: 1 },
    { type: 'always_off', ratio: 1 },
    { type: 'parentbased_always_on', ratio: 1 },
    { type: 'parentbased_always_off', ratio: 1 },
    { type: 'traceidratio', ratio: 0.5 },
    { type: 'parentbased_traceidratio', ratio: 0.5 },
  ),
  fc.record({
    type: fc.constant('custom' as const),
    decisions: fc.array(fc.constantFrom(0, 1, 2, 2, 2), { minLength: 1, maxLength: 5 }),
    attributes: fc.constantFrom<(Attributes | undefined)[]>(
      undefined,
      { 'from.sampler': 1 },
      { a: 'sampler', list: [1] },
    ),
    traceState: fc.constantFrom(undefined, 'sampler=yes', '', 'ot=th:0,sampler=yes', 'not a state'),
    mutates: fc.boolean(),
  }),
);

const count = fc.constantFrom(0, 1, 2, 3, 128);
const valueLength = fc.constantFrom(1, 10, 20, 8192);
const limits: fc.Arbitrary<SpanLimits> = fc
  .record({ count, eventAttributes: count, linkAttributes: count, valueLength, eventCount: count, linkCount: count })
  .map(({ valueLength: length, ...counts }) => ({
    attributes: { count: counts.count, valueLength: length },
    eventAttributes: { count: counts.eventAttributes, valueLength: length },
    linkAttributes: { count: counts.linkAttributes, valueLength: length },
    eventCount: counts.eventCount,
    linkCount: counts.linkCount,
  }));

export const settings: fc.Arbitrary<Setting> = fc.record({
  sampler,
  limits,
  changes: fc.record({ onStart: fc.boolean(), onEnding: fc.boolean() }),
  isObserved: fc.boolean(),
});
