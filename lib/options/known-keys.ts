import { TracingConfigurationError } from '../tracing.errors.js';
import { namesSecret } from './secret-names.js';
import { didYouMean } from './suggest.js';

/**
 * Checks that an option holds an object with no keys but these, and hands it back.
 *
 * A misspelt key would otherwise be passed over, and its owner would look for the reason elsewhere.
 *
 * @param path the option's name, empty for the options themselves
 */
export function knownKeys<T extends object>(
  path: string,
  value: unknown,
  keys: readonly (keyof T & string)[],
): Partial<T> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TracingConfigurationError(path || 'options', value, `Give an object with some of: ${keys.join(', ')}.`);
  }
  const known = new Set<string>(keys);
  for (const [key, found] of Object.entries(value)) {
    if (!known.has(key)) throw unknownKey(path ? `${path}.${key}` : key, key, found, keys);
  }
  return value;
}

function unknownKey(name: string, key: string, found: unknown, keys: readonly string[]): TracingConfigurationError {
  const shown = namesSecret(key) ? 'REDACTED' : typeof found === 'object' ? typeof found : found;
  const guess = didYouMean(key, keys);
  return new TracingConfigurationError(
    name,
    shown,
    `There is no such option.${guess || ` Known here: ${keys.join(', ')}.`}`,
  );
}
