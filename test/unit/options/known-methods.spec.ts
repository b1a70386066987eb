import { describe, expect, it } from '@jest/globals';
import { DEFAULT_KNOWN_METHODS, resolveKnownMethods } from '../../../lib/options/known-methods.js';

describe('resolveKnownMethods()', () => {
  it.each<[variable: string | undefined, methods: readonly string[]]>([
    ['GET,POST,PROPFIND', ['GET', 'POST', 'PROPFIND']],
    [' PROPFIND , get,, PROPFIND ', ['PROPFIND', 'get']],
    [undefined, [...DEFAULT_KNOWN_METHODS]],
    ['', [...DEFAULT_KNOWN_METHODS]],
    [' , ', [...DEFAULT_KNOWN_METHODS]],
  ])('of %j are %j', (variable, methods) => {
    const env = { OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS: variable };
    expect([...resolveKnownMethods(env)]).toEqual(methods);
  });
});
