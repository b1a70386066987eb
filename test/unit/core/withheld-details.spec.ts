import { describe, expect, it } from '@jest/globals';
import { hasWithheldDetails, withholdDetails } from '../../../lib/core/withheld-details.js';

it.each([
  ['an error', new Error('secret')],
  ['a frozen error', Object.freeze(new Error('secret'))],
  ['a function', () => 'secret'],
  ['a text', 'secret'],
  ['a number', 1234],
  ['a bigint', 1234n],
  ['a symbol', Symbol('secret')],
])('%s is withheld from then on', (_, thrown) => {
  expect(hasWithheldDetails(thrown)).toBe(false);
  withholdDetails(thrown);
  expect(hasWithheldDetails(thrown)).toBe(true);
});

it.each([null, undefined])('%s has no details', (thrown) => {
  withholdDetails(thrown);
  expect(hasWithheldDetails(thrown)).toBe(false);
});

it('an error is not taken for another one of the same message', () => {
  withholdDetails(new Error('same'));
  expect(hasWithheldDetails(new Error('same'))).toBe(false);
});

it('a number is not taken for its text', () => {
  withholdDetails(5678);
  expect(hasWithheldDetails('5678')).toBe(false);
});

it('a revoked proxy is withheld like any other object', () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  withholdDetails(proxy);
  expect(hasWithheldDetails(proxy)).toBe(true);
});

describe('thrown texts', () => {
  it('are remembered in a bounded number, the latest thousands', () => {
    for (let i = 0; i < 20_000; i++) withholdDetails(`text ${i}`);
    expect(hasWithheldDetails('text 19999')).toBe(true);
    expect(hasWithheldDetails('text 16000')).toBe(true);
    expect(hasWithheldDetails('text 0')).toBe(false);
  });
});
