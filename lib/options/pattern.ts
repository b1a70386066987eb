/** A function that compiles one pattern of an option to a predicate. It throws a TracingConfigurationError with the option's name. */
type Compile<T> = (option: string, pattern: unknown) => (value: T) => boolean;

/** Compiles one pattern, or a list of patterns of which one must match. */
export function compileAny<T>(option: string, given: unknown, compile: Compile<T>): (value: T) => boolean {
  const predicates = Array.isArray(given)
    ? given.map((pattern: unknown, index) => compile(`${option}[${index}]`, pattern))
    : [compile(option, given)];
  return (value) => predicates.some((matches) => matches(value));
}

/** Compiles a text in which `*` stands for any characters. */
export function compileWildcard(pattern: string): (value: string) => boolean {
  if (!pattern.includes('*')) return (value) => value === pattern;
  const parts = pattern.split('*');
  return (value) => matchesParts(parts, value);
}

/** Compiles a regular expression to a predicate that keeps no state between calls, whatever the flags are. */
export function compileRegExp(pattern: RegExp): (value: string) => boolean {
  // With the flag g or y, test() starts at the end of the last match. The copy keeps this reset out of the application's object.
  const copy = new RegExp(pattern.source, pattern.flags);
  return (value) => {
    copy.lastIndex = 0;
    return copy.test(value);
  };
}

/** Does not use a regular expression, because one with several wildcards can take a very long time on a long text. */
function matchesParts(parts: readonly string[], text: string): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const index = text.indexOf(part, from);
    if (index < 0 || index + part.length > end) return false;
    from = index + part.length;
  }
  return true;
}
