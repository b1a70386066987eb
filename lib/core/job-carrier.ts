import { defaultTextMapSetter, propagation, type Context } from '@opentelemetry/api';
import { callSafely } from './diagnostics.js';

/** The trace context of a producer, as it is stored with a job. */
export type JobCarrier = Readonly<Record<string, string>>;

/** The number of characters of a carrier that is read. It comes from a database, and may be anything. */
const MAX_LENGTH = 16_384;

/** Returns the trace context as text, in the same form as that of `bullmq-otel`. Empty if there is none. */
export function writeCarrier(context: Context): string {
  const carrier: Record<string, string> = {};
  callSafely('The propagator', () => propagation.inject(context, carrier, defaultTextMapSetter));
  return Object.keys(carrier).length > 0 ? JSON.stringify(carrier) : '';
}

/** Reads the trace context of a producer. Empty if the text is anything else. */
export function readCarrier(metadata: unknown): JobCarrier {
  if (typeof metadata !== 'string' || metadata.length > MAX_LENGTH) return {};
  try {
    const parsed: unknown = JSON.parse(metadata);
    if (typeof parsed !== 'object' || parsed === null) return {};
    return Object.fromEntries(Object.entries(parsed).filter(([, value]) => typeof value === 'string'));
  } catch {
    return {};
  }
}
