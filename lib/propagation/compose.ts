import { propagation, type Context, type TextMapPropagator } from '@opentelemetry/api';
import { guarded, reportIgnored } from '../core/diagnostics.js';
import { isTracingSuppressed } from '../core/suppression.js';

/**
 * One propagator out of several: all are written, and all are read in their order, a later one winning. One that fails,
 * or has nothing to say, takes nothing away from the others.
 *
 * @param mayLeave tells which baggage leaves; may throw, where the user wrote it. Undefined: all of it does
 */
export function composePropagators(
  propagators: readonly TextMapPropagator[],
  mayLeave?: (key: string) => boolean,
): TextMapPropagator {
  // Asked for with each call and request that leaves.
  const fields = [...new Set(propagators.flatMap((propagator) => propagator.fields()))];
  return {
    inject(context, carrier, setter) {
      if (isTracingSuppressed(context)) return;
      const leaving = mayLeave ? withoutPrivateBaggage(context, mayLeave) : context;
      for (const propagator of propagators) {
        try {
          propagator.inject(leaving, carrier, setter);
        } catch (error) {
          reportIgnored('A propagator', error);
        }
      }
    },

    extract(context, carrier, getter) {
      // Formats complete each other's baggage, but not the one that the application has at hand while it reads a message.
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

    fields: () => fields,
  };
}

function withoutPrivateBaggage(context: Context, mayLeave: (key: string) => boolean): Context {
  const baggage = propagation.getBaggage(context);
  if (!baggage) return context;
  const kept = baggage
    .getAllEntries()
    .map(([key]) => key)
    // Nothing leaves by accident: only a clear yes counts.
    .filter((key) => guarded('baggage.propagate', () => mayLeave(key)) !== true);
  return kept.length > 0 ? propagation.setBaggage(context, baggage.removeEntries(...kept)) : context;
}
