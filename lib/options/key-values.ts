import { TracingConfigurationError } from '../tracing.errors.js';
import { text } from './parse.js';
import type { Setting } from './setting.js';

const FORMAT = 'Write key=value pairs with commas between them, and percent-encode special characters in values.';

/** Reads `key=value,key2=value2`, percent-encoded, as `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_EXPORTER_OTLP_HEADERS` are written. */
export function keyValues(setting: Setting | undefined): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  if (setting === undefined) return pairs;
  for (const [index, entry] of text(setting).split(',').entries()) {
    if (entry.trim() === '') continue;
    const [key, value] = keyValue(entry);
    if (key === undefined || value === undefined) throw malformed(setting, entry, index);
    pairs.set(key, value);
  }
  return pairs;
}

function keyValue(entry: string): [key?: string, value?: string] {
  const equals = entry.indexOf('=');
  if (equals < 0) return [];
  return [decode(entry.slice(0, equals)) || undefined, decode(entry.slice(equals + 1))];
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part.trim());
  } catch {
    return undefined;
  }
}

function malformed(setting: Setting, entry: string, index: number): TracingConfigurationError {
  // Headers carry API keys.
  const shown = setting.name.endsWith('_HEADERS') ? 'REDACTED' : entry;
  return new TracingConfigurationError(setting.name, shown, `Its entry ${index + 1} is malformed. ${FORMAT}`);
}
