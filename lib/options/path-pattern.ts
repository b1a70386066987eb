import { TracingConfigurationError } from '../tracing.errors.js';

/** A request path to leave out: exact text, text with `*` for any characters, or a pattern of the path. */
export type PathPattern = string | RegExp;

/** Whether any of some patterns matches: one pattern, or a list of them, each by the same kind of matcher. */
export function anyMatcher<T>(
  option: string,
  given: unknown,
  matcher: (option: string, pattern: unknown) => (value: T) => boolean,
): (value: T) => boolean {
  const matchers = Array.isArray(given)
    ? given.map((pattern: unknown, index) => matcher(`${option}[${index}]`, pattern))
    : [matcher(option, given)];
  return (value) => matchers.some((matches) => matches(value));
}

/** Makes a predicate over paths of what the user wrote: an exact path, one with `*` for any characters, or a pattern. */
export function pathMatcher(option: string, pattern: unknown): (path: string) => boolean {
  if (pattern instanceof RegExp) return regExpMatcher(pattern);
  if (typeof pattern !== 'string' || !/^[/*]/.test(pattern) || /[?#]/.test(pattern)) {
    const fix =
      'Write a path that begins with "/" and has no query, such as /health or /internal/*, or a regular expression.';
    throw new TracingConfigurationError(option, pattern, fix);
  }
  if (pattern.includes('*')) {
    const matches = wildcardMatcher(pattern);
    return (path) => matches(path) || matches(withoutLastSlash(path));
  }
  const exact = withoutLastSlash(pattern);
  return (path) => withoutLastSlash(path) === exact;
}

/** A predicate over texts: the same text, where `*` stands for any characters. */
export function wildcardMatcher(pattern: string): (value: string) => boolean {
  if (!pattern.includes('*')) return (value) => value === pattern;
  const parts = pattern.split('*');
  return (value) => matchesParts(parts, value);
}

/** A predicate over texts that keeps no state between calls, whatever the flags of the pattern. */
export function regExpMatcher(pattern: RegExp): (value: string) => boolean {
  // With the flag g or y, test() begins where it last ended. The copy keeps our reset out of the user's object.
  const own = new RegExp(pattern.source, pattern.flags);
  return (value) => {
    own.lastIndex = 0;
    return own.test(value);
  };
}

/** Without regular expressions, in which several wildcards let a long path take a very long time. */
function matchesParts(parts: readonly string[], path: string): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (path.length < first.length + last.length || !path.startsWith(first) || !path.endsWith(last)) return false;
  const end = path.length - last.length;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const index = path.indexOf(part, from);
    if (index < 0 || index + part.length > end) return false;
    from = index + part.length;
  }
  return true;
}

function withoutLastSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
