import dns from 'node:dns';
import { afterEach, expect, it, jest } from '@jest/globals';
import { lookupShared } from '../../../../lib/export/otlp/lookup.js';

afterEach(() => {
  jest.restoreAllMocks();
});

type Answer = (error: Error | null, address?: unknown, family?: number) => void;

/** Replaces lookups by ones that are answered by the test. */
function heldLookups() {
  const lookups: { name: string; answer: Answer }[] = [];
  jest.spyOn(dns, 'lookup').mockImplementation(((name: string, _options: object, answer: Answer) => {
    lookups.push({ name, answer });
  }) as never);
  return lookups;
}

it('lookups of one name at one time share a call, because each takes one of a few threads', () => {
  const lookups = heldLookups();
  const answers: unknown[][] = [];
  for (const name of ['otlp.test', 'otlp.test', 'other.test']) {
    lookupShared(name, { all: true }, (...answer) => answers.push([name, ...answer]));
  }
  expect(lookups.map(({ name }) => name)).toEqual(['otlp.test', 'other.test']);
  const addresses = [{ address: '10.0.0.1', family: 4 }];
  lookups[0]!.answer(null, addresses);
  expect(answers).toEqual([
    ['otlp.test', null, addresses, undefined],
    ['otlp.test', null, addresses, undefined],
  ]);
});

it('a lookup asks again, whatever the answer to the last one was: the address may be another one by now', () => {
  const lookups = heldLookups();
  const failures: unknown[] = [];
  for (const count of [1, 2]) {
    lookupShared('otlp.test', {}, (error) => failures.push(error));
    expect(lookups).toHaveLength(count);
    lookups[count - 1]!.answer(new Error('not found'));
  }
  expect(failures).toHaveLength(2);
});

it('lookups for another family are apart', () => {
  const lookups = heldLookups();
  for (const family of [4, 6]) lookupShared('otlp.test', { family }, () => {});
  expect(lookups).toHaveLength(2);
});
