import { types } from 'node:util';
import { propagation, trace, type Context, type TextMapPropagator } from '@opentelemetry/api';
import { callSafely, warn } from '../core/diagnostics.js';

const SUBJECT = 'A propagator';

/**
 * Shields calls and requests from a propagator of the application. Its exceptions and rejections are reported. If its `extract()`
 * returns anything but a usable context, nothing is extracted.
 */
export function guardPropagator(propagator: TextMapPropagator): TextMapPropagator {
  return {
    inject(context, carrier, setter) {
      callSafely(SUBJECT, () => propagator.inject(context, carrier, setter));
    },

    extract(context, carrier, getter) {
      const extracted: unknown = callSafely(SUBJECT, () => propagator.extract(context, carrier, getter));
      if (extracted === context || extracted === undefined) return context;
      if (isContext(extracted) && callSafely(SUBJECT, () => isUsable(extracted))) return extracted;
      const problem = types.isPromise(extracted) ? 'is async' : 'returns no context that can be used';
      warn('propagator', `${SUBJECT} ${problem} in extract(), so what it extracts is ignored.`);
      return context;
    },

    fields() {
      const fields: unknown = callSafely(SUBJECT, () => propagator.fields());
      if (Array.isArray(fields)) return fields.filter((field) => typeof field === 'string');
      warn('propagator-fields', `${SUBJECT} returns no list in fields(), so the names of its headers are not known.`);
      return [];
    },
  };
}

function isContext(value: unknown): value is Context {
  if (typeof value !== 'object' || value === null) return false;
  const { getValue, setValue, deleteValue } = value as Partial<Context>;
  return typeof getValue === 'function' && typeof setValue === 'function' && typeof deleteValue === 'function';
}

/** True if the span context and the baggage in a context have the types of the API. Throws if they are not objects. */
function isUsable(context: Context): boolean {
  const span = trace.getSpanContext(context);
  const hasIds = !span || (typeof span.traceId === 'string' && typeof span.spanId === 'string');
  const hasTraceState = !span?.traceState || typeof span.traceState.serialize() === 'string';
  const hasBaggage = Array.isArray(propagation.getBaggage(context)?.getAllEntries() ?? []);
  return hasIds && hasTraceState && hasBaggage;
}
