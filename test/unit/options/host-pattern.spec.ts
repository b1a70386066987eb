import { describe, expect, it } from '@jest/globals';
import { compileHostPattern } from '../../../lib/options/host-pattern.js';

describe('compileHostPattern()', () => {
  it.each<[string | RegExp, string, boolean]>([
    ['shop.test', 'http://shop.test/', true],
    ['shop.test', 'https://shop.test:8443/', true],
    ['SHOP.test', 'http://shop.TEST/', true],
    [' shop.test ', 'http://shop.test/', true],
    ['shop.test', 'http://a.shop.test/', false],
    ['shop.test', 'http://shop.test.evil.test/', false],
    ['shop.test', 'http://evil.test/shop.test', false],
    ['shop.test', 'http://shop.test@evil.test/', false],
    ['shop.test:443', 'https://shop.test/', true],
    ['shop.test:80', 'http://shop.test/', true],
    ['shop.test:80', 'https://shop.test/', false],
    ['shop.test:81', 'http://shop.test:81/', true],
    ['*.shop.test', 'http://a.shop.test/', true],
    ['*.shop.test', 'http://a.b.shop.test/', true],
    ['*.shop.test', 'http://shop.test/', false],
    ['*.shop.test', 'http://evilshop.test/', false],
    ['*.shop.test:81', 'http://a.shop.test:81/', true],
    ['*.shop.test:81', 'http://a.shop.test:82/', false],
    ['[::1]', 'http://[::1]:3000/', true],
    ['[0:0:0:0:0:0:0:1]:3000', 'http://[::1]:3000/', true],
    ['münchen.test', 'http://münchen.test/', true],
    ['127.0.0.1', 'http://127.1/', true],
    [/^shop\.test:80$/, 'http://shop.test/', true],
    [/^shop\.test:80$/, 'https://shop.test/', false],
    [/shop/g, 'http://shop.test/', true],
  ])('%s over %s: %s', (pattern, url, expected) => {
    const matches = compileHostPattern('http.client.ignore', pattern);
    expect(matches(new URL(url))).toBe(expected);
    // A pattern must not depend on its last match.
    expect(matches(new URL(url))).toBe(expected);
  });

  it.each([
    ['a URL', 'http://shop.test'],
    ['a path', 'shop.test/a'],
    ['nothing', ''],
    ['spaces', '  '],
    ['another wildcard', 'shop.*'],
    ['credentials', 'user@shop.test'],
    ['no host', ':80'],
    ['an address that is none', '[::zz]'],
    ['a number', 80],
    ['null', null],
  ])('refuses %s', (_name, pattern) => {
    expect(() => compileHostPattern('http.client.ignore[0]', pattern)).toThrow(
      /http\.client\.ignore\[0\].*Write a host/s,
    );
  });
});
