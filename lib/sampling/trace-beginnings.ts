import { trace, TraceFlags, type Context, type SpanKind } from '@opentelemetry/api';
import type { Sampler } from '../options/sdk-types.js';
import { samplingRequestFor } from '../propagation/sampling-request.js';
import { DEBUG, RANDOM, traceStateWith, traitsOf, UNDECIDED } from '../propagation/trace-state.js';

type Arguments = Parameters<Sampler['shouldSample']>;
type Result = ReturnType<Sampler['shouldSample']>;

/** The span id of a caller that has sent a sampling request without ids. It is given to the sampler, and recorded nowhere. */
const CALLER_WITHOUT_ID = '0000000000000001';

/**
 * Wraps a sampler for spans at which a trace begins in a way that the SDK does not know:
 *
 * - A span whose caller has sent ids without a decision is sampled like a span without a caller.
 * - A span whose caller has sent a sampling request without ids is sampled like a span with a caller.
 * - A trace that begins here records in its trace state that its id is random.
 */
export function withTraceBeginnings(sampler: Sampler): Sampler {
  return {
    shouldSample(...[context, traceId, name, kind, attributes, links]: Arguments) {
      const parent = trace.getSpanContext(context);
      const decideIn = (within: Context) => sampler.shouldSample(within, traceId, name, kind, attributes, links);
      if (parent?.traceId !== traceId) return decideForNewTrace(context, traceId, kind, decideIn);
      const traits = traitsOf(parent);
      if (!(traits & UNDECIDED)) return decideIn(context);
      const result = decideIn(trace.deleteSpan(context));
      return withTraits(result, traits & ~UNDECIDED, result?.traceState ?? parent.traceState);
    },
    toString: () => sampler.toString(),
  };
}

function decideForNewTrace(
  context: Context,
  traceId: string,
  kind: SpanKind,
  decideIn: (within: Context) => Result,
): Result {
  const request = samplingRequestFor(kind, context);
  if (!request) return withTraits(decideIn(context), RANDOM);
  const traceFlags = request.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  const caller = { traceId, spanId: CALLER_WITHOUT_ID, traceFlags, isRemote: true };
  return withTraits(decideIn(trace.setSpanContext(context, caller)), request.debug ? RANDOM | DEBUG : RANDOM);
}

function withTraits(result: Result, traits: number, state = result?.traceState): Result {
  if (!result) return result;
  const traceState = traceStateWith(traits, state);
  return traceState ? { ...result, traceState } : result;
}
