import { isSpanContextValid, trace, TraceFlags } from '@opentelemetry/api';
import type { Sampler } from '../options/sdk-types.js';
import { TraceId } from '../tracer/trace-ids.js';

type Arguments = Parameters<Sampler['shouldSample']>;
type Result = ReturnType<Sampler['shouldSample']>;

/** `SamplingDecision` of the SDK. */
const NOT_RECORD: Result = { decision: 0 };
const RECORD_AND_SAMPLED: Result = { decision: 2 };

/** A sampler that decides by the id of a trace. */
export interface TraceIdSampler extends Sampler {
  samplesTrace(id: TraceId): boolean;
}

export const alwaysOn: TraceIdSampler = {
  samplesTrace: () => true,
  shouldSample: () => RECORD_AND_SAMPLED,
  toString: () => 'AlwaysOnSampler',
};

export const alwaysOff: TraceIdSampler = {
  samplesTrace: () => false,
  shouldSample: () => NOT_RECORD,
  toString: () => 'AlwaysOffSampler',
};

/**
 * Returns a sampler of a fraction of the traces. It chooses the same traces as the sampler of the SDK for JavaScript, so that all services
 * with the same ratio choose the same.
 */
export function ratioSampler(ratio: number): TraceIdSampler {
  const bound = ratio === 1 ? 2 ** 32 : Math.floor(ratio * 0xffffffff);
  const samplesTrace = ({ word0, word1, word2, word3 }: TraceId) => (word0 ^ word1 ^ word2 ^ word3) >>> 0 < bound;
  return {
    samplesTrace,
    shouldSample: (_, traceId) => (samplesTrace(TraceId.parse(traceId)) ? RECORD_AND_SAMPLED : NOT_RECORD),
    toString: () => `TraceIdRatioBased{${ratio}}`,
  };
}

/** Returns a sampler that follows the decision of the parent, and of another sampler where a trace begins. */
export function parentBased(root: Sampler): Sampler {
  return {
    shouldSample(...args: Arguments) {
      const parent = trace.getSpanContext(args[0]);
      if (!parent || !isSpanContextValid(parent)) return root.shouldSample(...args);
      return parent.traceFlags & TraceFlags.SAMPLED ? RECORD_AND_SAMPLED : NOT_RECORD;
    },
    toString: () => `ParentBased{root=${root.toString()}}`,
  };
}
