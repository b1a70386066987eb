import { TracingConfigurationError } from '../tracing.errors.js';
import { knownKeys } from './known-keys.js';

/** Key-value pairs that travel with the trace context: anybody on the way can read, add and change them. */
export interface BaggageOptions {
  /**
   * Keys whose value becomes an attribute of the same name on every span that starts where the baggage has them, unless the
   * span has that attribute already.
   * @default []
   */
  attributes?: readonly string[];

  /**
   * Which keys leave with calls and messages: a list, or a function. The others stay in this service.
   * @default every key
   */
  propagate?: readonly string[] | ((key: string) => boolean);
}

export interface ResolvedBaggage {
  /** The keys that become attributes. */
  readonly attributes: readonly string[];
  /** Whether a key leaves; may throw, where the user wrote it. Undefined: all do. */
  readonly propagate: ((key: string) => boolean) | undefined;
}

/** Settles what of the baggage spans show, and what of it leaves. */
export function resolveBaggage(given: BaggageOptions | undefined): ResolvedBaggage {
  const { attributes, propagate } = knownKeys<BaggageOptions>('baggage', given, { attributes: true, propagate: true });
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
