import type { TextMapGetter } from '@opentelemetry/api';
import { trimOws } from './text.js';

/** A header that there may be one of. Said twice it says nothing, since nobody knows which of the two is meant. */
export function oneHeader<Carrier>(carrier: Carrier, getter: TextMapGetter<Carrier>, name: string): string | undefined {
  const value: unknown = getter.get(carrier, name);
  if (value === undefined) return undefined;
  const single: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  return typeof single === 'string' ? trimOws(single) : undefined;
}

/** A header whose value is a list, which may come in several headers: HTTP has them combined in their order. */
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
