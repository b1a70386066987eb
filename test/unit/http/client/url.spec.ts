import { describe, expect, it } from '@jest/globals';
import { redactUrl, requestUrl } from '../../../../lib/http/client/url.js';
import { namesSecret } from '../../../../lib/options/secret-names.js';

describe('requestUrl()', () => {
  it.each([
    ['http://shop.test', '/a?b=c', 'http://shop.test/a?b=c'],
    ['http://shop.test', '', 'http://shop.test/'],
    ['http://shop.test', '*', 'http://shop.test/*'],
    ['http://shop.test', '?a=b', 'http://shop.test/?a=b'],
    ['http://proxy.test:3128', 'http://shop.test/a', 'http://shop.test/a'],
    ['http://[::1]:80', '/http://b', 'http://[::1]:80/http://b'],
  ])('%s and %s become %s', (origin, target, url) => {
    expect(requestUrl(origin, target)).toBe(url);
  });
});

describe('redactUrl()', () => {
  it.each([
    ['http://a.test/b?c=d', 'http://a.test/b?c=d'],
    ['http://a.test/b?token=d&e=f&sig=g', 'http://a.test/b?token=REDACTED&e=f&sig=REDACTED'],
    ['http://user:pass@a.test/b', 'http://REDACTED:REDACTED@a.test/b'],
    ['http://user@a.test', 'http://REDACTED:REDACTED@a.test'],
    ['http://us@er:p@ss@a.test/b', 'http://REDACTED:REDACTED@a.test/b'],
    ['http://a.test/b@c?d=e@f', 'http://a.test/b@c?d=e@f'],
    ['http://a.test?d=e@f', 'http://a.test?d=e@f'],
    ['http://a.test/b?c=d#access_token=e', 'http://a.test/b?c=d'],
    ['http://a.test/b#c?d', 'http://a.test/b'],
    ['no url at all', 'no url at all'],
  ])('%s becomes %s', (url, visible) => {
    expect(redactUrl(url, namesSecret)).toBe(visible);
  });
});
