import { SpanKind, trace, TraceFlags, type Context } from '@opentelemetry/api';
import { DEBUG, RANDOM, stateWith, traitsOf, UNDECIDED } from '../propagation/trace-state.js';
import { wishIn } from '../propagation/wish.js';
import type { Sampler } from '../options/sdk-types.js';

type Arguments = Parameters<Sampler['shouldSample']>;
type Result = ReturnType<Sampler['shouldSample']>;

/** Stands for a caller that has told its wish and no ids; nothing is recorded of it. */
const NOBODY = '0000000000000001';

/**
 * Asks the sampler about spans at which a trace begins in another way than the SDK does:
 *
 * - one whose caller has ids and leaves the decision to us is decided like one without a caller,
 * - one whose caller has a wish and no ids is decided like one with a caller,
 * - a trace that begins here carries that its id is a random one.
 */
export function traceBeginnings(sampler: Sampler): Sampler {
  return {
    shouldSample(...[context, traceId, name, kind, attributes, links]: Arguments) {
      const parent = trace.getSpanContext(context);
      const ask = (within: Context) => sampler.shouldSample(within, traceId, name, kind, attributes, links);
      if (parent?.traceId !== traceId) return ofRandomTrace(context, traceId, kind, ask);
      const traits = traitsOf(parent);
      if (!(traits & UNDECIDED)) return ask(context);
      const result = ask(trace.deleteSpan(context));
      return withTraits(result, traits & ~UNDECIDED, result?.traceState ?? parent.traceState);
    },
    toString: () => sampler.toString(),
  };
}

function ofRandomTrace(context: Context, traceId: string, kind: SpanKind, ask: (within: Context) => Result): Result {
  // Traces that are begun further in, beside that of the caller, are none of its business.
  const wish = kind === SpanKind.SERVER || kind === SpanKind.CONSUMER ? wishIn(context) : undefined;
  if (!wish) return withTraits(ask(context), RANDOM);
  const traceFlags = wish.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  const caller = { traceId, spanId: NOBODY, traceFlags, isRemote: true };
  return withTraits(ask(trace.setSpanContext(context, caller)), wish.debug ? RANDOM | DEBUG : RANDOM);
}

function withTraits(result: Result, traits: number, state = result?.traceState): Result {
  if (!result) return result;
  const traceState = stateWith(traits, state);
  return traceState ? { ...result, traceState } : result;
}
