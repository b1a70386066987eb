import { TracingConfigurationError } from '../tracing.errors.js';
import { namesSecret } from './secret-names.js';
import { entriesOf, type Setting } from './setting.js';

const FORMAT = 'Write key=value pairs with commas between them, and percent-encode special characters in values.';

/**
 * Reads a variable of the form `key=value,key2=value2`, percent-encoded.
 *
 * @throws TracingConfigurationError where one entry is malformed
 */
export function keyValues(setting: Setting): ReadonlyMap<string, string> {
  return new Map(entriesOf(setting).map(keyValue));
}

/** Reads one `key=value`. */
export function keyValue(entry: Setting): readonly [key: string, value: string] {
  const written = String(entry.value);
  const equals = written.indexOf('=');
  const key = equals < 0 ? undefined : decode(written.slice(0, equals));
  const value = decode(written.slice(equals + 1));
  if (!key || value === undefined) throw malformedEntry(entry);
  return [key, value];
}

/** The error about an entry. An entry that may hold a secret is not shown. */
export function malformedEntry({ name, value }: Setting): TracingConfigurationError {
  const written = String(value);
  const [key = ''] = written.split('=');
  const isSecret = name.endsWith('_HEADERS') || namesSecret(key);
  return new TracingConfigurationError(name, isSecret ? 'REDACTED' : written, `An entry is malformed. ${FORMAT}`);
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part.trim());
  } catch {
    return undefined;
  }
}
