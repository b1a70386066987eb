import { TracingConfigurationError } from '../tracing.errors.js';
import { checkKeys } from './check-keys.js';

/** Key-value pairs that travel with the trace context. Every service on the way can read, add and change them. */
export interface BaggageOptions {
  /**
   * Keys whose value becomes an attribute of the same name on every span that starts while the baggage contains them. An attribute
   * that the span has already is kept.
   * @default []
   */
  attributes?: readonly string[] | undefined;

  /**
   * Keys that are sent with outgoing calls and messages: a list, or a function of the key. The other keys stay in this service.
   * @default every key
   */
  propagate?: readonly string[] | ((key: string) => boolean) | undefined;
}

export interface ResolvedBaggage {
  /** The keys that become attributes. */
  readonly attributes: readonly string[];
  /** True if a key is sent. It throws if the application's function throws. Undefined if every key is sent. */
  readonly propagate: ((key: string) => boolean) | undefined;
}

/** Resolves which entries of the baggage become attributes, and which are sent. */
export function resolveBaggage(given: BaggageOptions | undefined): ResolvedBaggage {
  const { attributes, propagate } = checkKeys<BaggageOptions>('baggage', given, { attributes: true, propagate: true });
  return Object.freeze({
    attributes: attributes === undefined ? Object.freeze([]) : parseKeys('baggage.attributes', attributes),
    propagate: propagate === undefined || typeof propagate === 'function' ? propagate : listPredicate(propagate),
  });
}

function listPredicate(listed: readonly string[]): (key: string) => boolean {
  const keys = new Set(parseKeys('baggage.propagate', listed));
  return (key) => keys.has(key);
}

function parseKeys(option: string, listed: unknown): readonly string[] {
  if (!Array.isArray(listed)) {
    throw new TracingConfigurationError(option, listed, "Give a list of baggage keys, such as ['tenant.id'].");
  }
  const keys = listed.map((key: unknown, index) => {
    if (typeof key === 'string' && key.trim()) return key.trim();
    throw new TracingConfigurationError(`${option}[${index}]`, key, 'Give the key of a baggage entry.');
  });
  return Object.freeze([...new Set(keys)]);
}
