import { propagation, type Context, type TextMapPropagator } from '@opentelemetry/api';
import { withPropagatedDecision } from '../core/candidate-span.js';
import { callSafely, reportIgnored } from '../core/diagnostics.js';
import { isTracingSuppressed } from '../core/suppression.js';

/**
 * Returns one propagator out of several. All of them write, and all of them read, in their order, so that a later one takes
 * precedence. One that fails or finds nothing takes nothing away from the others.
 *
 * @param shouldPropagate returns true for the keys of the baggage that is written; it may throw. By default, all is written
 */
export function composePropagators(
  propagators: readonly TextMapPropagator[],
  shouldPropagate?: (key: string) => boolean,
): TextMapPropagator {
  // Collected once, because the fields are read for each outgoing call and request.
  const fields = [...new Set(propagators.flatMap((propagator) => propagator.fields()))];
  return {
    inject(context, carrier, setter) {
      if (isTracingSuppressed(context)) return;
      const decided = withPropagatedDecision(context);
      const propagated = shouldPropagate ? withoutPrivateBaggage(decided, shouldPropagate) : decided;
      for (const propagator of propagators) {
        try {
          propagator.inject(propagated, carrier, setter);
        } catch (error) {
          reportIgnored('A propagator', error);
        }
      }
    },

    extract(context, carrier, getter) {
      // The formats of a message complete each other's baggage, but not the baggage that is active while the message is read.
      const present = propagation.getBaggage(context);
      const bare = present ? propagation.deleteBaggage(context) : context;
      let extracted = bare;
      for (const propagator of propagators) {
        try {
          extracted = propagator.extract(extracted, carrier, getter);
        } catch (error) {
          reportIgnored('A propagator', error);
        }
      }
      if (extracted === bare) return context;
      if (!present || propagation.getBaggage(extracted)) return extracted;
      return propagation.setBaggage(extracted, present);
    },

    // The caller may change the list that it gets.
    fields: () => fields.slice(),
  };
}

function withoutPrivateBaggage(context: Context, shouldPropagate: (key: string) => boolean): Context {
  const baggage = propagation.getBaggage(context);
  if (!baggage) return context;
  const privateKeys = baggage
    .getAllEntries()
    .map(([key]) => key)
    // Only true counts, so that no entry is propagated by accident.
    .filter((key) => callSafely('baggage.propagate', () => shouldPropagate(key)) !== true);
  return privateKeys.length > 0 ? propagation.setBaggage(context, baggage.removeEntries(...privateKeys)) : context;
}
