import { warn } from '../core/diagnostics.js';
import { TracingConfigurationError } from '../tracing.errors.js';
import type { Setting, Sources } from './setting.js';

/** A function that parses the value of a setting. It throws a TracingConfigurationError if the value cannot be used. */
type Parse<T> = (setting: Setting) => T;

/** The number of characters of a value in a warning. */
const MAX_SHOWN = 200;

/**
 * Parses the first source that can be used, in order of precedence.
 *
 * An option that cannot be used stops the start. A variable that cannot be used is ignored with a warning, as OpenTelemetry's
 * specification requires, because variables are often set for many applications at once.
 */
export function parseFirst<T>(parse: Parse<T>, ...sources: Sources): T | undefined {
  return firstParsed(parse, ...sources)?.value;
}

/** Does the same as `parseFirst()`, and also returns the setting from which the value comes. */
export function firstParsed<T>(
  parse: Parse<T>,
  ...sources: Sources
): { readonly setting: Setting; readonly value: T } | undefined {
  for (const setting of sources) {
    if (!setting) continue;
    const result = attempt(parse, setting);
    if ('value' in result) return { setting, value: result.value };
    warnOfValues(setting, [result.error], 'is ignored');
  }
  return undefined;
}

/** Parses the entries of a list. In a variable, only the entries that cannot be used are ignored, with one warning for all of them. */
export function parseEach<T>(parse: Parse<T>, entries: readonly Setting[]): T[] {
  const results = entries.map((entry) => attempt(parse, entry));
  const errors = results.flatMap((result) => ('error' in result ? result.error : []));
  const [entry] = entries;
  if (entry) warnOfValues(entry, errors, errors.length === entries.length ? 'is ignored' : 'is ignored in part');
  return results.flatMap((result) => ('value' in result ? [result.value] : []));
}

/** Warns that a variable is not used as it is set. The warnings of one variable share one rate limit. */
export function warnOfVariable({ name, variable = name }: Setting, message: string): void {
  warn(`variable:${variable}`, `The variable ${variable} ${message}`);
}

function warnOfValues(setting: Setting, errors: readonly TracingConfigurationError[], consequence: string): void {
  const [first] = errors;
  if (!first) return;
  const values = errors.map(({ value }) => quote(value)).join(', ');
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

function quote(value: unknown): string {
  const text = String(value);
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}
