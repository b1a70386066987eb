import { TracingConfigurationError } from '../tracing.errors.js';
import { parseEach } from './lenient.js';
import { entriesOf, type Setting } from './setting.js';

/**
 * The names in a comma-separated variable, each once. A variable that says `none` yields an empty list. Undefined where no
 * entry can be used, so that the variable counts as not set.
 *
 * @param parse reads one name
 */
export function nameList<T extends string>(
  list: Setting | undefined,
  parse: (entry: Setting) => T,
): readonly Exclude<T, 'none'>[] | undefined {
  if (!list) return undefined;
  let others = 0;
  // Entries named `none` come last, when it is known whether another one can be used.
  const entries = entriesOf(list).toSorted((a, b) => Number(isNone(a)) - Number(isNone(b)));
  const names = parseEach((entry) => {
    const name = parse(entry);
    if (name !== 'none') others++;
    else if (others > 0) throw new TracingConfigurationError(list.name, name, 'It has to stand alone.');
    return name;
  }, entries);
  if (names.length === 0) return undefined;
  return [...new Set(names.filter((name): name is Exclude<T, 'none'> => name !== 'none'))];
}

function isNone({ value }: Setting): boolean {
  return String(value).toLowerCase() === 'none';
}
