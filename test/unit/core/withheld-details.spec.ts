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

describe('an error that is made of another one', () => {
  const cause = new Error("Duplicate entry 'secret'");
  withholdDetails(cause);

  it.each<[string, object, boolean]>([
    ['repeats its message', new Error(`Not saved: ${cause.message}`, { cause }), true],
    [
      'repeats the message of the cause of its cause',
      new Error(cause.message, { cause: new Error('b', { cause }) }),
      true,
    ],
    ['has a statement with values', Object.assign(new Error('Failed query'), { cause, query: 'INSERT …' }), true],
    ['references it by the property of an ORM', Object.assign(new Error(cause.message), { driverError: cause }), true],
    ['has a message of its own', new Error('Not saved', { cause }), false],
    ['has a cause whose details may be shown', new Error('secret', { cause: new Error('secret') }), false],
    [
      'has itself as its cause',
      Object.assign(new Error('a'), {
        get cause() {
          return this;
        },
      }),
      false,
    ],
    [
      'has a getter that throws',
      Object.defineProperty(new Error('a'), 'cause', {
        get() {
          throw new Error('b');
        },
      }),
      false,
    ],
  ])('and %s', (_, error, isWithheld) => {
    expect(hasWithheldDetails(error)).toBe(isWithheld);
  });
});

describe('thrown texts', () => {
  it('are remembered in a bounded number, the latest thousands', () => {
    for (let i = 0; i < 20_000; i++) withholdDetails(`text ${i}`);
    expect(hasWithheldDetails('text 19999')).toBe(true);
    expect(hasWithheldDetails('text 16000')).toBe(true);
    expect(hasWithheldDetails('text 0')).toBe(false);
  });
});
