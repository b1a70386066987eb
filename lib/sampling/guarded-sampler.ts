import { types } from 'node:util';
import { trace, TraceFlags, type Context } from '@opentelemetry/api';
import { reportIgnored, warn } from '../core/diagnostics.js';
import type { Sampler } from '../options/sdk-types.js';

type Result = ReturnType<Sampler['shouldSample']>;

/** `SamplingDecision` of the SDK. */
const NOT_RECORD: Result['decision'] = 0;
const RECORD_AND_SAMPLED: Result['decision'] = 2;

const SUBJECT = 'The sampler';

/**
 * Shields the SDK from a sampler of the application. If the sampler is async or returns no decision, this is reported, and the
 * span is sampled by the default sampler, `parentbased_always_on`. If the sampler throws, the span is not recorded: a sampler
 * that fails for one kind of span still decides about the others.
 */
export function guardSampler(sampler: Sampler): Sampler {
  return {
    shouldSample(...args) {
      try {
        const result: unknown = sampler.shouldSample(...args);
        const problem = problemOf(result);
        if (!problem) return result as Result;
        // A rejection without a handler would end the process.
        if (types.isPromise(result)) result.catch(() => {});
        warn(
          'sampler',
          `${SUBJECT} ${problem}, so it is ignored and the default is used. It has to return a decision.`,
        );
      } catch (error) {
        reportIgnored(SUBJECT, error);
        return { decision: NOT_RECORD };
      }
      return defaultDecision(args[0]);
    },
    toString: () => String(sampler),
  };
}

/** Describes what is wrong with a result. Undefined if the SDK can use it. */
function problemOf(result: unknown): string | undefined {
  if (typeof result !== 'object' || result === null) return `returns ${result === null ? 'null' : typeof result}`;
  if (types.isPromise(result)) return 'is async';
  const { decision, attributes, traceState } = result as Partial<Result>;
  if (decision === undefined || decision < NOT_RECORD || decision > RECORD_AND_SAMPLED || !Number.isInteger(decision)) {
    return 'returns no decision';
  }
  if (attributes !== undefined && typeof attributes !== 'object') return 'returns attributes that are none';
  // The serialized state is written into headers, and by exporters.
  const serialized: unknown = traceState?.serialize?.();
  if (traceState && typeof serialized !== 'string') return 'returns a trace state that is none';
  return undefined;
}

function defaultDecision(parent: Context): Result {
  const parentContext = trace.getSpanContext(parent);
  const isSampled =
    !parentContext || !trace.isSpanContextValid(parentContext) || (parentContext.traceFlags & TraceFlags.SAMPLED) !== 0;
  return { decision: isSampled ? RECORD_AND_SAMPLED : NOT_RECORD };
}
