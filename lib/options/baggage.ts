import { TracingConfigurationError } from '../tracing.errors.js';
import type { BaggageOptions } from '../tracing.options.js';
import { knownKeys } from './known-keys.js';
import type { ResolvedBaggage } from './resolved-options.js';

/** Settles what of the baggage spans show, and what of it leaves. */
export function resolveBaggage(given: BaggageOptions | undefined): ResolvedBaggage {
  const { attributes, propagate } = knownKeys<BaggageOptions>('baggage', given, ['attributes', 'propagate']);
  return Object.freeze({
    attributes: attributes === undefined ? Object.freeze([]) : keys('baggage.attributes', attributes),
    propagate: propagate === undefined || typeof propagate === 'function' ? propagate : anyOf(propagate),
  });
}

function anyOf(listed: readonly string[]): (key: string) => boolean {
  const known = new Set(keys('baggage.propagate', listed));
  return (key) => known.has(key);
}

function keys(name: string, listed: unknown): readonly string[] {
  if (!Array.isArray(listed)) {
    throw new TracingConfigurationError(name, listed, "Give a list of baggage keys, such as ['tenant.id'].");
  }
  const checked = listed.map((key: unknown, index) => {
    if (typeof key === 'string' && key.trim()) return key.trim();
    throw new TracingConfigurationError(`${name}[${index}]`, key, 'Give the key of a baggage entry.');
  });
  return Object.freeze([...new Set(checked)]);
}
