import { propagation, type Context } from '@opentelemetry/api';
import type { SpanProcessor } from './types.js';

type StartingSpan = Parameters<SpanProcessor['onStart']>[0];

/** Copies these entries of the baggage to attributes of each span that starts in a context with them. */
export function baggageAttributes(keys: readonly string[]): SpanProcessor {
  return {
    onStart(span: StartingSpan, parent: Context) {
      const baggage = propagation.getBaggage(parent);
      if (!baggage) return;
      for (const key of keys) {
        const value = baggage.getEntry(key)?.value;
        // What the application says of its span goes before what somebody has sent.
        if (value !== undefined && span.attributes[key] === undefined) span.setAttribute(key, value);
      }
    },
    onEnd() {},
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}
