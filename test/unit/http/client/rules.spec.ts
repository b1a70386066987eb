import { describe, expect, it } from '@jest/globals';
import { RequestRules } from '../../../../lib/http/client/rules.js';
import { recordSpans } from '../../../support/recorded-spans.js';

const to = (origin: string, path = '/') => ({
  method: 'GET',
  origin,
  url: path.startsWith('/') ? origin + path : path,
});
const host =
  (...names: string[]) =>
  ({ url }: { url: URL }) =>
    names.includes(url.hostname);
const NOTHING = { ignore: undefined, propagateTo: undefined };

describe('the rules of a request', () => {
  const spans = recordSpans();

  it('allow everything without options', () => {
    const rules = new RequestRules(to('http://a.test'), NOTHING);
    expect([rules.isIgnored, rules.allowsPropagation, rules.destination?.href]).toEqual([
      false,
      true,
      'http://a.test/',
    ]);
  });

  it('are applied to the host that the request is sent to', () => {
    const options = { ignore: host('a.test'), propagateTo: host('b.test') };
    const rules = ['http://a.test', 'http://b.test'].map((origin) => new RequestRules(to(origin), options));
    expect(rules.map(({ isIgnored, allowsPropagation }) => [isIgnored, allowsPropagation])).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  it('are applied to a proxy and to the requested host', () => {
    const request = to('http://proxy.test:3128', 'http://a.test/b');
    const propagates = (...names: string[]) =>
      new RequestRules(request, { ...NOTHING, propagateTo: host(...names) }).allowsPropagation;
    expect([propagates('a.test'), propagates('proxy.test'), propagates('a.test', 'proxy.test')]).toEqual([
      false,
      false,
      true,
    ]);
    const ignored = (name: string) => new RequestRules(request, { ...NOTHING, ignore: host(name) }).isIgnored;
    expect([ignored('a.test'), ignored('proxy.test'), ignored('b.test')]).toEqual([true, true, false]);
    expect(new RequestRules(request, NOTHING).destination?.host).toBe('proxy.test:3128');
  });

  it('do not match a URL that only begins like that of its host', () => {
    const request = to('http://a.test', 'http://a.test.evil/');
    expect(new RequestRules(request, { ...NOTHING, propagateTo: host('a.test') }).allowsPropagation).toBe(false);
    expect(new RequestRules(request, { ...NOTHING, propagateTo: host('a.test.evil') }).allowsPropagation).toBe(false);
  });

  it('forbid propagation if the port is unknown, or the URL is malformed', () => {
    const propagateTo = () => true;
    const unknown = { ...to('http://a.test'), hasUnknownPort: true };
    expect(new RequestRules(unknown, { ...NOTHING, propagateTo }).allowsPropagation).toBe(false);
    expect(new RequestRules(unknown, NOTHING).allowsPropagation).toBe(true);
    expect(new RequestRules(to('none'), { ...NOTHING, propagateTo }).allowsPropagation).toBe(false);
  });

  // This test is the first one, because a warning is written only once a minute.
  it('warn about a promise', () => {
    const ignore = (() => Promise.resolve(true)) as unknown as () => boolean;
    void new RequestRules(to('http://a.test'), { ...NOTHING, ignore }).isIgnored;
    expect(spans.diagnostics.join('\n')).toMatch(/http\.client\.ignore is async and was ignored/);
  });

  it.each<[string, () => unknown, boolean, boolean]>([
    ['true', () => true, true, true],
    ['a promise of true', () => Promise.resolve(true), false, false],
    ['a promise that fails', () => Promise.reject(new Error('no')), false, false],
    ['an object', () => ({}), true, false],
    ['another value', () => 'yes', true, false],
    ['nothing', () => undefined, false, false],
  ])('interpret %s correctly', (_name, answer, ignored, propagates) => {
    const predicate = answer as () => boolean;
    const rules = new RequestRules(to('http://a.test'), { ignore: predicate, propagateTo: predicate });
    expect([rules.isIgnored, rules.allowsPropagation]).toEqual([ignored, propagates]);
  });
});
