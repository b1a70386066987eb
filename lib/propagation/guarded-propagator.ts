import { types } from 'node:util';
import { propagation, trace, type Context, type TextMapPropagator } from '@opentelemetry/api';
import { guarded, warn } from '../core/diagnostics.js';

const WHAT = 'A propagator';

/**
 * Guards calls and requests against a propagator of the application. What it throws, also asynchronously, is reported. Where
 * its `extract()` returns no context, or one that cannot be used, nothing is extracted.
 */
export function guardPropagator(propagator: TextMapPropagator): TextMapPropagator {
  return {
    inject(context, carrier, setter) {
      guarded(WHAT, () => propagator.inject(context, carrier, setter));
    },

    extract(context, carrier, getter) {
      const extracted: unknown = guarded(WHAT, () => propagator.extract(context, carrier, getter));
      if (extracted === context || extracted === undefined) return context;
      if (isContext(extracted) && guarded(WHAT, () => isUsable(extracted))) return extracted;
      const problem = types.isPromise(extracted) ? 'is async' : 'returns no context that can be used';
      warn('propagator', `${WHAT} ${problem} in extract(), so what it extracts is ignored.`);
      return context;
    },

    fields() {
      const fields: unknown = guarded(WHAT, () => propagator.fields());
      if (Array.isArray(fields)) return fields.filter((field) => typeof field === 'string');
      warn('propagator-fields', `${WHAT} returns no list in fields(), so the names of its headers are not known.`);
      return [];
    },
  };
}

function isContext(value: unknown): value is Context {
  if (typeof value !== 'object' || value === null) return false;
  const { getValue, setValue, deleteValue } = value as Partial<Context>;
  return typeof getValue === 'function' && typeof setValue === 'function' && typeof deleteValue === 'function';
}

/** Whether the span and the baggage in a context are ones. Throws where they are not even objects. */
function isUsable(context: Context): boolean {
  const span = trace.getSpanContext(context);
  const hasIds = !span || (typeof span.traceId === 'string' && typeof span.spanId === 'string');
  const hasTraceState = !span?.traceState || typeof span.traceState.serialize() === 'string';
  const hasBaggage = Array.isArray(propagation.getBaggage(context)?.getAllEntries() ?? []);
  return hasIds && hasTraceState && hasBaggage;
}
