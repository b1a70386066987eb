import { TracingConfigurationError } from '../tracing.errors.js';
import { parseEach } from './lenient.js';
import { splitEntries, type Setting } from './setting.js';

/**
 * Reads an option that takes one choice or a list of them, such as `exporter`. Returns an empty list for `none`, which must stand
 * alone.
 *
 * @param noun the kind of choice, for error messages
 * @param parse reads one choice
 */
export function choicesInCode<T>(
  option: string,
  given: unknown,
  noun: string,
  parse: (choice: Setting) => T,
): readonly Exclude<T, 'none'>[] {
  const settings = Array.isArray(given)
    ? given.map((value: unknown, index) => ({ name: `${option}[${index}]`, value }))
    : [{ name: option, value: given }];
  if (settings.length === 0) {
    throw new TracingConfigurationError(option, given, `Name at least one ${noun}, or use 'none'.`);
  }
  const choices = settings.map(parse);
  const none = settings.find((_, index) => choices[index] === 'none');
  if (none && settings.length > 1) {
    const fix = `It means no ${noun} at all: remove it, or the others beside it.`;
    throw new TracingConfigurationError(none.name, 'none', fix);
  }
  return choices.filter(isNotNone);
}

/**
 * Reads a comma-separated variable, each name once. Returns an empty list for `none`. Returns undefined if no entry can be used,
 * so that the variable counts as not set.
 *
 * @param parse reads one name
 */
export function choicesInVariable<T extends string>(
  list: Setting | undefined,
  parse: (entry: Setting) => T,
): readonly Exclude<T, 'none'>[] | undefined {
  if (!list) return undefined;
  let others = 0;
  // Entries named `none` come last, when it is known whether another entry can be used.
  const entries = splitEntries(list).toSorted((a, b) => Number(isNoneEntry(a)) - Number(isNoneEntry(b)));
  const names = parseEach((entry) => {
    const name = parse(entry);
    if (name !== 'none') others++;
    else if (others > 0) throw new TracingConfigurationError(list.name, name, 'It has to stand alone.');
    return name;
  }, entries);
  return names.length === 0 ? undefined : [...new Set(names.filter(isNotNone))];
}

function isNoneEntry({ value }: Setting): boolean {
  return String(value).toLowerCase() === 'none';
}

function isNotNone<T>(choice: T): choice is Exclude<T, 'none'> {
  return choice !== 'none';
}
