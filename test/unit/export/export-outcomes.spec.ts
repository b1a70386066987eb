import { describe, expect, it } from '@jest/globals';
import { ExportOutcomes } from '../../../lib/export/export-outcomes.js';
import { recordWarnings } from '../../support/recorded-warnings.js';

const warnings = recordWarnings();
let destinations = 0;

/** Returns the outcomes of a new destination: a warning says how many of its kind and destination were left out before. */
const newOutcomes = () => new ExportOutcomes(`backend-${++destinations}`);

/** A value whose every use throws. */
function hostile(): Error {
  const fail = () => {
    throw new Error('do not touch');
  };
  return new Proxy(new Error('hostile'), { get: fail, has: fail, getPrototypeOf: fail, ownKeys: fail });
}

describe('ExportOutcomes', () => {
  it('counts the spans that arrive, and does not warn', () => {
    const outcomes = newOutcomes();
    outcomes.countExported(3);
    outcomes.countExported(4);
    outcomes.warnOfTotal();
    expect(outcomes).toMatchObject({ exported: 7, failed: 0, dropped: 0 });
    expect(warnings).toEqual([]);
  });

  it.each<[what: string, error: unknown, kind: string, reason: string]>([
    ['an error', new TypeError('bad'), 'TypeError', 'TypeError: bad'],
    ['an error with a code', Object.assign(new Error('no'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED', 'Error: no'],
    ['an error with a status', Object.assign(new Error('no'), { code: 503 }), '503', 'Error: no'],
    ['an error with an empty code', Object.assign(new RangeError('no'), { code: '' }), 'RangeError', 'RangeError: no'],
    ['no error', undefined, '_OTHER', 'the exporter gives no reason'],
    ['a text', 'broken', 'string', 'broken'],
    ['null', null, 'null', 'null'],
    [
      'an error for each address',
      new AggregateError([new Error('refused ::1'), new Error('refused 127.0.0.1')]),
      'AggregateError',
      'Error: refused ::1, Error: refused 127.0.0.1',
    ],
    [
      'a list of errors that is not a list',
      Object.assign(new AggregateError([], 'many'), { errors: { length: 1 } }),
      'AggregateError',
      'AggregateError: many',
    ],
    ['an error that cannot be read', hostile(), '_OTHER', 'an error that cannot be described'],
  ])('warns once of failures with %s, and counts them by their kind', (_what, error, kind, reason) => {
    const outcomes = newOutcomes();
    outcomes.countFailed(1, error);
    outcomes.countFailed(4, error);
    expect(outcomes).toMatchObject({ exported: 0, failed: 5, dropped: 0 });
    expect([...outcomes.failures]).toEqual([[kind, 5]]);
    expect(warnings).toEqual([`1 span is lost: the export to ${outcomes.destination} failed (${reason}).`]);
  });

  it('warns once of a backend that is not reached, before any span is lost, and tells when it is', () => {
    const outcomes = newOutcomes();
    const { destination } = outcomes;
    outcomes.countUnreached(new Error('refused'));
    outcomes.countUnreached(new Error('refused'));
    expect(warnings).toEqual([
      `Spans do not reach ${destination} so far (Error: refused), and wait for another attempt.`,
    ]);
    outcomes.countExported(3);
    outcomes.countExported(3);
    expect(warnings.slice(1)).toEqual([`Spans reach ${destination} now.`]);
    // Once there was a backend, another attempt is no news.
    outcomes.countUnreached(new Error('refused'));
    expect(warnings).toHaveLength(2);
    expect(outcomes).toMatchObject({ exported: 6, failed: 0, dropped: 0 });
  });

  it('warns of the loss as well, and does not warn of attempts after it', () => {
    const outcomes = newOutcomes();
    outcomes.countUnreached(new Error('refused'));
    outcomes.countFailed(2, new Error('refused'));
    outcomes.countUnreached(new Error('refused'));
    outcomes.countExported(1);
    expect(warnings).toEqual([
      expect.stringContaining('so far'),
      expect.stringContaining('2 spans are lost'),
      expect.stringContaining('again; 2 are lost so far.'),
    ]);
  });

  it('adds what may help', () => {
    const outcomes = new ExportOutcomes('a hinted backend', (error) => `Mend ${String(error)}.`);
    outcomes.countUnreached('this');
    outcomes.countFailed(1, 'that');
    expect(warnings).toEqual([
      expect.stringMatching(/attempt\. Mend this\.$/),
      expect.stringMatching(/\(that\)\. Mend that\.$/),
    ]);
  });

  it('warns of the number of spans of a batch', () => {
    const outcomes = newOutcomes();
    outcomes.countFailed(512, new Error('no'));
    expect(warnings).toEqual([`512 spans are lost: the export to ${outcomes.destination} failed (Error: no).`]);
  });

  it('warns of each destination', () => {
    for (const outcomes of [newOutcomes(), newOutcomes()]) outcomes.countFailed(1, undefined);
    expect(warnings).toHaveLength(2);
  });

  it('counts a few kinds of failures apart, with short names', () => {
    const outcomes = newOutcomes();
    outcomes.countFailed(1, { code: 'x'.repeat(1000) });
    for (let code = 1; code < 100; code++) outcomes.countFailed(1, { code });
    outcomes.countFailed(1, { code: 1 });
    expect(outcomes.failures.size).toBe(33);
    expect(outcomes.failures.get('1')).toBe(2);
    expect(outcomes.failures.get('_OTHER')).toBe(68);
    expect(outcomes.failed).toBe(101);
    expect(Math.max(...[...outcomes.failures.keys()].map(({ length }) => length))).toBeLessThan(140);
  });

  it('warns once that spans arrive again', () => {
    const outcomes = newOutcomes();
    outcomes.countFailed(2, undefined);
    outcomes.countExported(1);
    outcomes.countExported(1);
    expect(warnings.slice(1)).toEqual([`Spans reach ${outcomes.destination} again; 2 are lost so far.`]);
  });

  it('warns in the end how many spans are lost, and why, unless a warning of the only loss says so', () => {
    const outcomes = newOutcomes();
    outcomes.warnOfTotal();
    outcomes.countFailed(2, undefined);
    outcomes.warnOfTotal();
    expect(warnings).toHaveLength(1);
    outcomes.countDropped(7);
    outcomes.countDropped(7);
    outcomes.countExported(1);
    outcomes.warnOfTotal();
    expect(outcomes).toMatchObject({ exported: 1, failed: 2, dropped: 2 });
    expect(warnings.slice(1)).toEqual([
      `A span is dropped: 7 already wait for their export to ${outcomes.destination}. ` +
        'Keep fewer traces by "sampler", or raise batch.maxQueueSize.',
      `Spans reach ${outcomes.destination} again; 4 are lost so far.`,
      `4 spans to ${outcomes.destination} are lost: 2 found no room to wait, the export of 2 failed; 1 have arrived.`,
    ]);
  });
});
