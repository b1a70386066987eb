import { describe, expect, it } from '@jest/globals';
import { withoutQuotedInput } from '../../../lib/core/quoted-input.js';

const HIDDEN = 'Unexpected token, "REDACTED" is not valid JSON';

describe('a body that JSON.parse() quotes', () => {
  // These are the messages of V8 in Node 20 to 26.
  it.each([
    [`Unexpected token 'h', "hunter2" is not valid JSON`, HIDDEN],
    [`Unexpected token 'h', "hunter2 pa"... is not valid JSON`, HIDDEN],
    [`Unexpected token 'h', ..."{"a":"b", hunter2 is"... is not valid JSON`, HIDDEN],
    [`Unexpected token 'h', ..."JSON","b":h" is not valid JSON`, HIDDEN],
    [`Unexpected token ''', "'hunter2'" is not valid JSON`, HIDDEN],
    [`Unexpected token '\n', "a\nhunter2" is not valid JSON`, HIDDEN],
    [`Unexpected token '\ud83d', "\u{1f600}hunter2 "... is not valid JSON`, HIDDEN],
    [`Bad body: Unexpected token 'h', "hunter2" is not valid JSON (400)`, `Bad body: ${HIDDEN} (400)`],
  ])('%j becomes %j', (message, shown) => {
    expect(withoutQuotedInput(message)).toBe(shown);
  });

  it.each([
    'Unexpected end of JSON input',
    "Expected ',' or '}' after property value in JSON at position 44 (line 1 column 45)",
    '"undefined" is not valid JSON',
    '"[object Object]" is not valid JSON',
    'The file "shop.json" is not valid JSON',
    'Unexpected token',
    '',
  ])('%j stays', (message) => {
    expect(withoutQuotedInput(message)).toBe(message);
  });

  it('is found whatever this Node writes', () => {
    const position = Array.from({ length: 60 }, (_, index) => index);
    for (const index of position) {
      const body = `[${' '.repeat(index)}hunter2${' '.repeat(60 - index)}]`;
      expect(() => JSON.parse(body)).toThrow();
      try {
        JSON.parse(body);
      } catch (error) {
        expect(withoutQuotedInput((error as Error).message)).not.toContain('hunter');
      }
    }
  });
});

describe('the URL of a request that has no route', () => {
  it.each([
    ['Cannot GET /orders', 'Cannot GET /orders'],
    ['Cannot GET /reset?token=hunter2&a=b', 'Cannot GET /reset'],
    ['NotFoundException: Cannot M-SEARCH /?token=hunter2', 'NotFoundException: Cannot M-SEARCH /'],
    ['Cannot POST /a;jsessionid=hunter2/b?c', 'Cannot POST /a'],
    ['Cannot find the key? It is here', 'Cannot find the key? It is here'],
  ])('%j becomes %j', (message, shown) => {
    expect(withoutQuotedInput(message)).toBe(shown);
  });
});

it('takes no long time for a long message', () => {
  const started = performance.now();
  for (const piece of [`Unexpected token 'x', "`, 'Cannot A', 'Cannot GET /', ' is not valid JSON', 'Cannot GET /a?']) {
    withoutQuotedInput(` is not valid JSON Cannot ${piece.repeat(8192 / piece.length)}`);
  }
  expect(performance.now() - started).toBeLessThan(100);
});
