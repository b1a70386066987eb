import { describe, expect, it } from '@jest/globals';
import { resolveHttpClient, type HttpClientOptions } from '../../../lib/options/http-client.js';
import { DEFAULT_KNOWN_METHODS } from '../../../lib/options/known-methods.js';

const shared = { knownMethods: DEFAULT_KNOWN_METHODS, redactQuery: () => false };
const request = (url: string) => ({ method: 'GET', url: new URL(url) });

describe('resolveHttpClient()', () => {
  it('traces every request and propagates to every host by default', () => {
    expect(resolveHttpClient(undefined, shared)).toEqual({
      ignore: undefined,
      propagateTo: undefined,
      requestHeaders: [],
      responseHeaders: [],
      ...shared,
    });
    expect(resolveHttpClient(false, shared)).toBeUndefined();
  });

  it('is frozen', () => {
    expect(Object.isFrozen(resolveHttpClient({}, shared))).toBe(true);
  });

  it.each(['ignore', 'propagateTo'] as const)(
    'accepts a host, several hosts, a regular expression or a function as %s',
    (key) => {
      const resolve = (value: HttpClientOptions['ignore']) => resolveHttpClient({ [key]: value }, shared)?.[key];
      expect(resolve('shop.test')?.(request('http://shop.test/'))).toBe(true);
      expect(resolve(/shop/)?.(request('http://shop.test/'))).toBe(true);
      expect(resolve(['a.test', 'shop.test'])?.(request('http://shop.test/'))).toBe(true);
      expect(resolve(['a.test', /b/])?.(request('http://shop.test/'))).toBe(false);
      const own = () => true;
      expect(resolve(own)).toBe(own);
    },
  );

  it('matches no host with an empty list', () => {
    const resolved = resolveHttpClient({ ignore: [], propagateTo: [] }, shared);
    expect(resolved?.ignore?.(request('http://shop.test/'))).toBe(false);
    expect(resolved?.propagateTo?.(request('http://shop.test/'))).toBe(false);
  });

  it.each<[string, object | null, RegExp]>([
    ['a host that is none', { ignore: 'http://shop.test' }, /http\.client\.ignore/],
    ['a host in a list that is none', { propagateTo: ['shop.test', ''] }, /http\.client\.propagateTo\[1\]/],
    ['an unknown option', { propagate: true }, /propagate/],
    ['headers that are no list', { requestHeaders: 'x-a' }, /http\.client\.requestHeaders/],
    ['a number', 1 as unknown as object, /http\.client/],
  ])('refuses %s', (_name, given, message) => {
    expect(() => resolveHttpClient(given as HttpClientOptions, shared)).toThrow(message);
  });
});
