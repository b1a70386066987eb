import { propagation, type Context } from '@opentelemetry/api';
import type { SpanProcessor } from '../options/sdk-types.js';

type StartingSpan = Parameters<SpanProcessor['onStart']>[0];

/** Returns a processor that copies baggage entries with these keys to the attributes of each span that starts. */
export function copyBaggageToSpans(keys: readonly string[]): SpanProcessor {
  return {
    onStart(span: StartingSpan, parent: Context) {
      const baggage = propagation.getBaggage(parent);
      if (!baggage) return;
      for (const key of keys) {
        const value = baggage.getEntry(key)?.value;
        // An attribute of the application takes precedence over an entry that a caller has sent.
        if (value !== undefined && span.attributes[key] === undefined) span.setAttribute(key, value);
      }
    },
    onEnd() {},
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}
