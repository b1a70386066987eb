import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import { array, assert, constantFrom, dictionary, nat, oneof, property, string, tuple, webUrl } from 'fast-check';
import { redactPath, redactQuery } from '../../../lib/http/redact-query.js';
import { namesSecretParameter } from '../../../lib/options/secret-names.js';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';

const chosen = (name: string) => ['token', 'user[password]', 'my key', 'a%b', 'größe'].includes(name);

it.each([
  ['a=b', 'a=b'],
  ['token=t', 'token=REDACTED'],
  ['token=', 'token=REDACTED'],
  ['token', 'token'],
  ['a=b&token=t&c=d', 'a=b&token=REDACTED&c=d'],
  ['token=t&token=u', 'token=REDACTED&token=REDACTED'],
  ['token=a=b=c', 'token=REDACTED'],
  ['%74oken=t', '%74oken=REDACTED'],
  ['user%5Bpassword%5D=p', 'user%5Bpassword%5D=REDACTED'],
  ['user[password]=p', 'user[password]=REDACTED'],
  ['my+key=k', 'my+key=REDACTED'],
  ['my%20key=k', 'my%20key=REDACTED'],
  ['a%25b=k', 'a%25b=REDACTED'],
  ['gr%C3%B6%C3%9Fe=k', 'gr%C3%B6%C3%9Fe=REDACTED'],
  ['%zz=1&token=t', '%zz=1&token=REDACTED'],
  ['a=token', 'a=token'],
  ['&&=&', '&&=&'],
  ['', ''],
])('%s becomes %s', (query, redacted) => {
  expect(redactQuery(query, chosen)).toBe(redacted);
});

describe('parameters', () => {
  it.each([
    ['a=1;token=t', 'a=1;token=REDACTED'],
    ['a=1;token=t;page=2', 'a=1;token=REDACTED;page=2'],
    ['password=a;b&page=2', 'password=REDACTED&page=2'],
    ['password=a;b', 'password=REDACTED'],
    ['a=b?token=t', 'a=b?token=REDACTED'],
    ['token=a?b/c&d=e', 'token=REDACTED&d=e'],
    ['a=b#access_token=t', 'a=b#access_token=REDACTED'],
    ['%zztoken=t', '%zztoken=REDACTED'],
    ['%E9_%74oken=t', '%E9_%74oken=REDACTED'],
    ['TOKEN=t&Page=2', 'TOKEN=REDACTED&Page=2'],
    ['key=k&sortKey=name', 'key=REDACTED&sortKey=name'],
    ['q=caf%C3%A9+au+lait&sort=-date', 'q=caf%C3%A9+au+lait&sort=-date'],
  ])('%s becomes %s', (query, redacted) => {
    expect(redactQuery(query, namesSecretParameter)).toBe(redacted);
  });
});

describe('operations of GraphQL', () => {
  it.each([
    ['query=%7Buser(name:%22x%22)%7Bid%7D%7D', 'query=REDACTED'],
    ['query=query+Find+{user(name:"x"){id}}&operationName=Find', 'query=REDACTED&operationName=Find'],
    ['operationName=Find&variables=%7b%22name%22%3A%22x%22%7d#top', 'operationName=Find&variables=REDACTED#top'],
    ['/graphql?query={a;b}&page=2', '/graphql?query=REDACTED&page=2'],
    ['query=shoes&page=2', 'query=shoes&page=2'],
    ['subquery={a}&filter={b}', 'subquery={a}&filter={b}'],
  ])('%s becomes %s', (query, redacted) => {
    expect(redactQuery(query, namesSecretParameter)).toBe(redacted);
  });
});

describe('URLs within', () => {
  const inner = 'https://x.test/a?token=abc&page=2';
  const once = encodeURIComponent(inner);
  const twice = encodeURIComponent(`https://y.test/?next=${once}&sig=s`);
  it.each([
    [`next=${inner}`, 'next=https://x.test/a?token=REDACTED&page=2'],
    [`next=${once}&z=1`, 'next=https%3A%2F%2Fx.test%2Fa%3Ftoken%3DREDACTED%26page%3D2&z=1'],
    [
      `next=${twice}&z=1`,
      'next=https%3A%2F%2Fy.test%2F%3Fnext%3Dhttps%253A%252F%252Fx.test%252Fa%253Ftoken%253DREDACTED%2526page%253D2%26sig%3DREDACTED&z=1',
    ],
    [`next=${once.toLowerCase()}`, 'next=https%3a%2f%2fx.test%2fa%3ftoken%3dREDACTED%26page%3d2'],
    ['next=%2Fa%3Ftoken%3Dabc', 'next=%2Fa%3Ftoken%3DREDACTED'],
    ['next=%2Fa%3Fapi%255Fkey%3Dabc', 'next=%2Fa%3Fapi%255Fkey%3DREDACTED'],
    ['next=%2Fa%23access_token%3Dabc%26state%3Dx', 'next=%2Fa%23access_token%3DREDACTED%26state%3Dx'],
    // Encoded delimiters are a part of the secret.
    ['token=a%26b%3Dc%23d&page=2', 'token=REDACTED&page=2'],
    ['next=https://us:p@x.test/b', 'next=https://REDACTED:REDACTED@x.test/b'],
    ['next=https%3A%2F%2Fus%3Ap%2540w%40x.test%2Fb', 'next=https%3A%2F%2FREDACTED:REDACTED%40x.test%2Fb'],
    ['next=https%253A%252F%252Fus%253Ap%2540x.test', 'next=https%253A%252F%252FREDACTED:REDACTED%2540x.test'],
    ['mail=a@b.test&next=https://x.test/a@b', 'mail=a@b.test&next=https://x.test/a@b'],
  ])('%s becomes %s', (query, redacted) => {
    expect(redactQuery(query, namesSecretParameter)).toBe(redacted);
  });
});

describe('values with the form of a token', () => {
  it.each([
    JWT,
    'eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn',
    ['AKIA', 'IOSFODNN7EXAMPLE'].join(''),
    `ghp_${'a1B2'.repeat(9)}`,
    `sk_live_${'a1B2'.repeat(6)}`,
    `xoxb-${'1'.repeat(12)}-abc`,
  ])('are redacted under any name: %s', (token) => {
    expect(redactQuery(`a=${token}&b=1`, namesSecretParameter)).toBe('a=REDACTED&b=1');
    expect(redactQuery(`a=Bearer%20${token}`, namesSecretParameter)).toBe('a=Bearer%20REDACTED');
    expect(redactQuery(token, namesSecretParameter)).toBe('REDACTED');
    expect(redactPath(`/verify/${token}/now`, namesSecretParameter)).toBe('/verify/REDACTED/now');
  });

  it.each(['cursor=eyJpZCI6MTAwfQ==', 'q=task-force-one-two-three-four-five', 'q=skills', 'a=1.2.3', 'id=AKIA'])(
    '%s is none',
    (query) => expect(redactQuery(query, namesSecretParameter)).toBe(query),
  );
});

describe('paths', () => {
  it.each([
    ['/a/b', '/a/b'],
    ['/', '/'],
    ['*', '*'],
    ['/a;jsessionid=0A1B/b;v=1', '/a;jsessionid=REDACTED/b;v=1'],
    ['/a;v=1;JSESSIONID=0A1B;w=2', '/a;v=1;JSESSIONID=REDACTED;w=2'],
    ['/a;token=', '/a;token=REDACTED'],
    ['/reset/token=abc/now', '/reset/token=REDACTED/now'],
    ['/proxy/https%3A%2F%2Fx.test%3Ftoken%3Dabc', '/proxy/https%3A%2F%2Fx.test%3Ftoken%3DREDACTED'],
    ['/caf%C3%A9/100%', '/caf%C3%A9/100%'],
  ])('%s becomes %s', (path, redacted) => {
    expect(redactPath(path, namesSecretParameter)).toBe(redacted);
  });
});

const pieces = constantFrom(
  ...[
    '&',
    ';',
    '#',
    '?',
    '=',
    '/',
    '%26',
    '%3D',
    '%253d',
    '%3B',
    '%2F',
    '%25',
    '%',
    ':',
    '://',
    '%3A%2F%2F',
    '@',
    '%40',
  ],
  ...['token', 'key', 'page', 'a', 'REDACTED', 'eyJhbGciOiJIUzI1', 'sk-', '.', '+', '\ud83d', '\u00e9', ' '],
);
const texts = oneof(
  array(oneof(pieces, string({ maxLength: 4 })), { maxLength: 60 }).map((parts) => parts.join('')),
  // Long ones, cut at any place.
  tuple(array(pieces, { minLength: 2, maxLength: 12 }), nat(40)).map(([parts, offset]) =>
    `${'x'.repeat(offset)}${parts.join('').repeat(1000)}`.slice(0, 12_000),
  ),
);

describe('any text', () => {
  it.each([
    ['a query', redactQuery],
    ['a path', redactPath],
  ])('as %s is cut, and does not change a second time', (_, redact) => {
    assert(
      property(texts, (text) => {
        const once = redact(text, namesSecretParameter);
        expect(once.length).toBeLessThanOrEqual(8192);
        expect(redact(once, namesSecretParameter)).toBe(once);
      }),
    );
  });

  it('without secrets does not change', () => {
    const names = constantFrom('page', 'q', 'sort', 'id', 'lang', 'keyword', 'sortKey', 'country_code', 'filter[name]');
    const values = oneof(string(), string({ unit: 'binary' }), webUrl());
    const pairs = array(tuple(names, values), { maxLength: 20 });
    assert(
      property(pairs, (given) => {
        const query = String(new URLSearchParams(given.filter(([, value]) => Buffer.from(value).toString() === value)));
        expect(redactQuery(query, namesSecretParameter)).toBe(query);
      }),
    );
  });

  it('never shows the value of a secret parameter', () => {
    const names = constantFrom('token', 'key', 'code', 'X-Amz-Signature', 'user[password]', 'api key');
    assert(
      property(names, string({ minLength: 1 }), dictionary(string(), string()), (name, value, others) => {
        const secret = `hunter2${value}hunter2`;
        const around = String(new URLSearchParams(Object.entries(others)));
        const query = `${around}&${String(new URLSearchParams({ [name]: secret }))}&page=2`;
        const nested = `${around}&next=${encodeURIComponent(`https://x.test/?${query}`)}&page=2`;
        expect(redactQuery(query, namesSecretParameter)).not.toContain('hunter2');
        expect(redactQuery(nested, namesSecretParameter)).not.toContain('hunter2');
        expect(redactQuery(query, namesSecretParameter)).toContain('&page=2');
      }),
    );
  });
});

describe('long queries', () => {
  it('are cut after secrets at the end were recognized', () => {
    expect(redactQuery('a'.repeat(20_000), namesSecretParameter)).toBe('a'.repeat(8192));
    for (let length = 8000; length < 8200; length++) {
      const query = `q=${'x'.repeat(length)}&next=https://us:hunter2hunter2@x.test/${JWT}&token=hunter2&z=${'y'.repeat(9000)}`;
      expect(redactQuery(query, namesSecretParameter)).not.toMatch(/hunter|eyJ/);
    }
  });

  it('show no credentials if the end of an authority was cut off', () => {
    const query = `token=${'t'.repeat(5000)}&next=https://us:hunter2${'x'.repeat(20_000)}@x.test/`;
    expect(redactQuery(query, namesSecretParameter)).toBe('token=REDACTED&next=https://REDACTED');
  });

  it.each([
    ['the same name', () => 'aB=&'],
    ['other names', (index: number) => `${index.toString(36)}=&`],
    ['other names that look secret', (index: number) => `key${index.toString(36)}Key=1&`],
    ['nested URLs', () => 'a=%3A%2F%2F%3Fkey%3D%26'],
    ['beginnings of tokens', () => 'eyJhbGciOi.'],
    ['semicolons', () => 'key=;;a'],
    ['percent signs', () => '%25'],
  ])('of %s are processed quickly', (_, piece) => {
    const queries = Array.from({ length: 20 }, (_unused, nth) => {
      let query = '';
      for (let index = 1; query.length < 16_000; index++) query += piece(nth * 4000 + index);
      return query;
    });
    const before = process.cpuUsage();
    for (const query of queries) redactQuery(query, namesSecretParameter);
    expect(process.cpuUsage(before).user / 1000 / queries.length).toBeLessThan(40);
  });

  it('with very many names that may be secret show none of their values', () => {
    const query = Array.from({ length: 1000 }, (_, index) => `key${index.toString(36)}Key=hunter2`).join('&');
    expect(redactQuery(query, namesSecretParameter)).not.toContain('hunter2');
    // Values of harmless names are still shown.
    expect(redactQuery(`${query.slice(0, 7000)}&page=2`, namesSecretParameter)).toContain('&page=2');
  });
});

describe('a predicate of the application', () => {
  it('is called once for each name', () => {
    const asked: string[] = [];
    const isSecret = (name: string) => asked.push(name) > 0 && name === 'email';
    for (let i = 0; i < 3; i++) expect(redactQuery('email=a&page=2', isSecret)).toBe('email=REDACTED&page=2');
    expect(asked).toEqual(['email', 'page']);
  });

  it('that throws or is async leaves the decision to the library', () => {
    const throws = () => {
      throw new Error('broken');
    };
    const async = (() => Promise.resolve(true)) as unknown as () => boolean;
    for (const isSecret of [throws, async]) {
      expect(redactQuery('token=a&page=2', isSecret)).toBe('token=REDACTED&page=2');
    }
  });
});
