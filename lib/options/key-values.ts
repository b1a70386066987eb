import { TracingConfigurationError } from '../tracing.errors.js';
import { namesSecret } from './secret-names.js';
import { splitEntries, type Setting } from './setting.js';

const FORMAT = 'Write key=value pairs with commas between them, and percent-encode special characters in values.';

/**
 * Parses a variable of the form `key=value,key2=value2`, with percent-encoded values.
 *
 * @throws TracingConfigurationError if one entry is malformed
 */
export function parseKeyValues(setting: Setting): ReadonlyMap<string, string> {
  return new Map(splitEntries(setting).map(parseKeyValue));
}

/** Parses one `key=value`. */
export function parseKeyValue(entry: Setting): readonly [key: string, value: string] {
  const pair = String(entry.value);
  const equals = pair.indexOf('=');
  const key = equals < 0 ? undefined : decode(pair.slice(0, equals));
  const value = decode(pair.slice(equals + 1));
  if (!key || value === undefined) throw malformedEntryError(entry);
  return [key, value];
}

/** Returns the error for an entry. The error does not show an entry that may contain a secret. */
export function malformedEntryError({ name, value }: Setting): TracingConfigurationError {
  const pair = String(value);
  const [key = ''] = pair.split('=');
  const isSecret = name.endsWith('_HEADERS') || namesSecret(key);
  return new TracingConfigurationError(name, isSecret ? 'REDACTED' : pair, `An entry is malformed. ${FORMAT}`);
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part.trim());
  } catch {
    return undefined;
  }
}
