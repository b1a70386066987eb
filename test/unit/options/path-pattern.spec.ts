import { describe, expect, it } from '@jest/globals';
import { compilePathPattern } from '../../../lib/options/path-pattern.js';
import { TracingConfigurationError } from '../../../lib/tracing.errors.js';

describe('compilePathPattern()', () => {
  it.each<[pattern: unknown]>([['api/health'], ['x*'], [''], ['/health?full'], ['/health#top'], [7], [undefined]])(
    'refuses %j, and says what to write',
    (pattern) => {
      const compile = () => compilePathPattern('http.ignore', pattern);
      expect(compile).toThrow(TracingConfigurationError);
      expect(compile).toThrow('Write a path that begins with "/" and has no query');
    },
  );

  it.each<[pattern: string, path: string, matches: boolean]>([
    ['/health', '/health', true],
    ['/health', '/health/', true],
    ['/health/', '/health', true],
    ['/health', '/health/live', false],
    ['/', '/', true],
    ['/', '/health', false],
    ['*', '/anything', true],
    ['/internal/*', '/internal/a/b', true],
    ['/internal/*', '/internal', false],
  ])('%s and the path %s: %s', (pattern, path, matches) => {
    expect(compilePathPattern('http.ignore', pattern)(path)).toBe(matches);
  });
});
