import { describe, expect, it } from '@jest/globals';
import { resolveData, type DataOptions, type OutgoingQuery } from '../../../lib/options/data.js';
import { TracingConfigurationError } from '../../../lib/tracing.errors.js';

const DEFAULTS = { queryText: true, maxQueryTextLength: 2048, parameters: false, ignore: undefined, rootSpans: false };

const query = (text: string | undefined, operation?: string): OutgoingQuery => ({
  system: 'mysql',
  text,
  operation,
  collection: undefined,
  namespace: 'shop',
});

describe('resolveData()', () => {
  it('traces every library by default', () => {
    for (const given of [undefined, {}]) {
      const resolved = resolveData(given) ?? {};
      expect(Object.keys(resolved)).toEqual(expect.arrayContaining(['postgres', 'mysql', 'redis']));
      for (const recording of Object.values(resolved)) expect(recording).toMatchObject(DEFAULTS);
    }
  });

  it('traces none, if it is off', () => {
    expect(resolveData(false)).toBeUndefined();
  });

  it.each<[DataOptions, object]>([
    [{ mysql: false }, { postgres: DEFAULTS }],
    [{ mysql: 'false', postgres: 'true' }, { postgres: DEFAULTS }],
    [
      { postgres: true, mysql: true },
      { postgres: DEFAULTS, mysql: DEFAULTS },
    ],
    [{ rootSpans: true, mysql: false }, { postgres: { ...DEFAULTS, rootSpans: true } }],
    [
      { queryText: false, postgres: { queryText: true, maxQueryTextLength: 10 } },
      { postgres: { ...DEFAULTS, maxQueryTextLength: 10 }, mysql: { ...DEFAULTS, queryText: false } },
    ],
    [
      { parameters: true, mysql: { parameters: false } },
      { postgres: { ...DEFAULTS, parameters: true }, mysql: DEFAULTS },
    ],
  ])('resolves %j for each library', (given, resolved) => {
    const { mysql, postgres } = resolveData(given) ?? {};
    expect({ mysql, postgres }).toEqual(resolved);
  });

  it.each<[DataOptions['ignore'], string, boolean]>([
    ['SELECT 1', 'SELECT 1', true],
    ['SELECT 1', '\n SELECT 1 ', true],
    ['SELECT 1', 'SELECT 12', false],
    ['SET *', "SET x = 'y'", true],
    [['BEGIN', /^commit$/i], 'COMMIT', true],
    [/pg_/g, 'SELECT * FROM pg_class', true],
    [({ namespace }) => namespace === 'shop', 'SELECT 1', true],
  ])('ignore %p matches %j: %p', (ignore, text, matches) => {
    const resolved = resolveData({ ignore: ignore! })?.mysql?.ignore;
    expect([resolved?.(query(text)), resolved?.(query(text))]).toEqual([matches, matches]);
  });

  it('matches the name of a command, where there is no statement', () => {
    const ignore = resolveData({ ignore: ['PING', 'CLIENT*'] })?.mysql?.ignore;
    const operations = ['PING', 'CLIENT SETINFO', 'GET', undefined];
    expect(operations.map((operation) => ignore?.(query(undefined, operation)))).toEqual([true, true, false, false]);
  });

  it('lets the options of a library take the place of the common ones', () => {
    const resolved = resolveData({ ignore: 'SELECT 1', mysql: { ignore: 'SELECT 2' } });
    expect(resolved?.postgres?.ignore?.(query('SELECT 1'))).toBe(true);
    expect(resolved?.mysql?.ignore?.(query('SELECT 1'))).toBe(false);
  });

  it.each<[unknown, string]>([
    [{ postgre: true }, 'data.postgre'],
    [{ bullmq: { continueTrace: 'maybe' } }, 'data.bullmq.continueTrace'],
    [{ mysql: { continueTrace: true } }, 'data.mysql.continueTrace'],
    [{ mysql: { text: true } }, 'data.mysql.text'],
    [{ mysql: 'yes' }, 'data.mysql'],
    [{ mysql: null }, 'data.mysql'],
    [{ queryText: 1 }, 'data.queryText'],
    [{ postgres: { maxQueryTextLength: 0 } }, 'data.postgres.maxQueryTextLength'],
    [{ ignore: ['SELECT 1', ' '] }, 'data.ignore[1]'],
    [{ ignore: 5 }, 'data.ignore'],
    ['all', 'data'],
  ])('refuses %j by the name %s', (given, name) => {
    const resolve = () => resolveData(given as DataOptions);
    expect(resolve).toThrow(TracingConfigurationError);
    expect(resolve).toThrow(name);
  });
});
