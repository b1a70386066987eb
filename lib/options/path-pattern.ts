import { TracingConfigurationError } from '../tracing.errors.js';
import { compileRegExp, compileWildcard } from './pattern.js';

/** A request path to ignore: the exact path, a path with `*` for any characters, or a regular expression. */
export type PathPattern = string | RegExp;

/** Compiles a path pattern to a predicate over paths. A slash at the end of a path does not count. */
export function compilePathPattern(option: string, pattern: unknown): (path: string) => boolean {
  if (pattern instanceof RegExp) return compileRegExp(pattern);
  if (typeof pattern !== 'string' || !/^[/*]/.test(pattern) || /[?#]/.test(pattern)) {
    const fix =
      'Write a path that begins with "/" and has no query, such as /health or /internal/*, or a regular expression.';
    throw new TracingConfigurationError(option, pattern, fix);
  }
  if (pattern.includes('*')) {
    const matches = compileWildcard(pattern);
    return (path) => matches(path) || matches(withoutLastSlash(path));
  }
  const exact = withoutLastSlash(pattern);
  return (path) => withoutLastSlash(path) === exact;
}

function withoutLastSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
