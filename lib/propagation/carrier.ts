import type { TextMapGetter } from '@opentelemetry/api';
import { trimOws } from './parsing.js';

/**
 * Returns a header that may occur once. Undefined if it is missing or occurs twice: it is not known which of the two is meant.
 */
export function singleHeader<Carrier>(
  carrier: Carrier,
  getter: TextMapGetter<Carrier>,
  name: string,
): string | undefined {
  const value: unknown = getter.get(carrier, name);
  if (value === undefined) return undefined;
  const single: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  return typeof single === 'string' ? trimOws(single) : undefined;
}

/** Returns a header whose value is a list. If the header occurs more than once, HTTP requires the lists to be joined in their order. */
export function listHeader<Carrier>(
  carrier: Carrier,
  getter: TextMapGetter<Carrier>,
  name: string,
): string | undefined {
  const value: unknown = getter.get(carrier, name);
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return value.filter((it) => typeof it === 'string').join(',');
  return typeof value === 'string' ? value : undefined;
}
