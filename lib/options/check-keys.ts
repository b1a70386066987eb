import { TracingConfigurationError, WithheldValue } from '../tracing.errors.js';
import { namesSecret } from './secret-names.js';
import { didYouMean } from './suggest.js';

/** The keys of an options type. A union has the keys of all its members. */
export type KeyOf<T> = T extends unknown ? keyof T & string : never;

/**
 * Checks that an option holds an object with known keys only, and returns the object.
 *
 * A misspelt key would otherwise have no effect, without any error.
 *
 * @param path the name of the option; empty for the options as a whole
 * @param keys every key of the type, so that the code does not compile if one is missing here: the option would be documented,
 *   and refused at the start. The values have no meaning.
 */
export function checkKeys<T extends object>(
  path: string,
  value: unknown,
  keys: Readonly<Record<KeyOf<T>, unknown>>,
): Partial<T> {
  const names = Object.keys(keys);
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TracingConfigurationError(path || 'options', value, `Give an object with some of: ${names.join(', ')}.`);
  }
  for (const [key, found] of Object.entries(value)) {
    if (!names.includes(key)) throw unknownKey(path ? `${path}.${key}` : key, key, found, names);
  }
  return value;
}

function unknownKey(name: string, key: string, found: unknown, known: readonly string[]): TracingConfigurationError {
  const shown = namesSecret(key) ? 'REDACTED' : typeof found === 'object' ? new WithheldValue(found) : found;
  const fix = `There is no such option.${didYouMean(key, known) || ` Known here: ${known.join(', ')}.`}`;
  return new TracingConfigurationError(name, shown, fix);
}
