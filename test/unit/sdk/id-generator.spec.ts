import { describe, expect, it } from '@jest/globals';
import { TraceFlags } from '@opentelemetry/api';
import { PresetIdGenerator } from '../../../lib/sdk/id-generator.js';

const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: TraceFlags.SAMPLED };

describe('PresetIdGenerator', () => {
  it('generates unique ids that are valid in W3C Trace Context', () => {
    const generator = new PresetIdGenerator();
    const traceIds = Array.from({ length: 2000 }, generator.generateTraceId);
    const spanIds = Array.from({ length: 2000 }, generator.generateSpanId);
    expect(traceIds.every((id) => /^(?!0+$)[\da-f]{32}$/.test(id))).toBe(true);
    expect(spanIds.every((id) => /^(?!0+$)[\da-f]{16}$/.test(id))).toBe(true);
    expect(new Set([...traceIds, ...spanIds]).size).toBe(4000);
  });

  it('gives the preset ids to the first span, and random ids to others', () => {
    const generator = new PresetIdGenerator();
    const draw = () => [generator.generateSpanId(), generator.generateTraceId()];
    const [first, second] = generator.withIds(ids, () => [draw(), draw()]);
    expect(first).toEqual([ids.spanId, ids.traceId]);
    expect(second?.[0]).not.toBe(ids.spanId);
    expect(second?.[1]).not.toBe(ids.traceId);
  });

  it.each([
    ['returned', () => {}],
    [
      'thrown',
      () => {
        throw new Error('a sampler broke');
      },
    ],
  ])('forgets preset ids that are not used when the start has %s', (_, start) => {
    const generator = new PresetIdGenerator();
    try {
      generator.withIds(ids, start);
    } catch {
      // The exception is the caller's.
    }
    expect(generator.generateSpanId()).not.toBe(ids.spanId);
    expect(generator.generateTraceId()).not.toBe(ids.traceId);
  });
});
