import { warn } from '../core/diagnostics.js';
import { TracingConfigurationError } from '../tracing.errors.js';
import type { Setting } from './setting.js';

/** Reads the value of a setting. Throws a TracingConfigurationError where the value cannot be used. */
type Parse<T> = (setting: Setting) => T;

/** Characters of a value in a warning. */
const MAX_SHOWN = 200;

/**
 * Parses the first setting that can be used: the order of the arguments is the order of precedence.
 *
 * An option that cannot be used stops the start. A variable that cannot be used is warned of and ignored, as OpenTelemetry's
 * specification requires, because variables are often set for a whole fleet of applications at once.
 */
export function parseFirst<T>(parse: Parse<T>, ...settings: readonly (Setting | undefined)[]): T | undefined {
  return firstParsed(parse, ...settings)?.value;
}

/** Does the same as `parseFirst()`, and says which setting the value comes from. */
export function firstParsed<T>(
  parse: Parse<T>,
  ...settings: readonly (Setting | undefined)[]
): { readonly setting: Setting; readonly value: T } | undefined {
  for (const setting of settings) {
    if (!setting) continue;
    const result = attempt(parse, setting);
    if ('value' in result) return { setting, value: result.value };
    warnOfValues(setting, [result.error], 'is ignored');
  }
  return undefined;
}

/** Parses the entries of a list. Of a variable, only the entries that cannot be used are ignored, with one warning for all. */
export function parseEach<T>(parse: Parse<T>, entries: readonly Setting[]): T[] {
  const results = entries.map((entry) => attempt(parse, entry));
  const errors = results.flatMap((result) => ('error' in result ? result.error : []));
  const [entry] = entries;
  if (entry) warnOfValues(entry, errors, errors.length === entries.length ? 'is ignored' : 'is ignored in part');
  return results.flatMap((result) => ('value' in result ? [result.value] : []));
}

/** Warns that a variable does not count as it was written: one kind of warning for each variable. */
export function warnOfVariable({ name, variable = name }: Setting, message: string): void {
  warn(`variable:${variable}`, `The variable ${variable} ${message}`);
}

function warnOfValues(setting: Setting, errors: readonly TracingConfigurationError[], consequence: string): void {
  const [first] = errors;
  if (!first) return;
  const values = errors.map(({ value }) => shown(value)).join(', ');
  warnOfVariable(setting, `${consequence}, because ${values} cannot be used. ${first.fix}`);
}

function attempt<T>(
  parse: Parse<T>,
  setting: Setting,
): { readonly value: T } | { readonly error: TracingConfigurationError } {
  try {
    return { value: parse(setting) };
  } catch (error) {
    if (setting.variable !== undefined && error instanceof TracingConfigurationError) return { error };
    throw error;
  }
}

function shown(value: unknown): string {
  const text = String(value);
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}
