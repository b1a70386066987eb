import { setImmediate } from 'node:timers/promises';
import { diag, DiagLogLevel } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  evaluatePredicate,
  describeError,
  callSafely,
  reportIgnored,
  setDiagnosticsSink,
  warn,
} from '../../../lib/core/diagnostics.js';
import { unhandledRejections } from '../../support/unhandled-rejections.js';

const MINUTE = 60_000;
let written: string[];
let now: number;

beforeEach(() => {
  written = [];
  // The clock is set well past the tests before, so that their warnings do not suppress those of this test.
  now = (now ?? 0) + 10 * MINUTE;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  setDiagnosticsSink({ warn: (message) => written.push(message) });
});

afterEach(() => {
  jest.restoreAllMocks();
  setDiagnosticsSink();
});

describe('warn()', () => {
  it('writes the first message of a kind, and says after a minute how many it has withheld', () => {
    warn('kind', 'first');
    warn('kind', 'second');
    now += MINUTE - 1;
    warn('kind', 'third');
    expect(written).toEqual(['first']);
    now += 1;
    warn('kind', 'fourth');
    expect(written).toEqual(['first', 'fourth (2 more since)']);
    now += MINUTE;
    warn('kind', 'fifth');
    expect(written.at(-1)).toBe('fifth');
  });

  it('counts each kind for itself', () => {
    warn('one', 'one');
    warn('two', 'two');
    warn('one', 'one again');
    expect(written).toEqual(['one', 'two']);
  });

  it('does not fall silent when the clock is set back', () => {
    jest.spyOn(Date, 'now').mockReturnValue(1_000_000_000_000);
    warn('clock', 'before');
    jest.spyOn(Date, 'now').mockReturnValue(0);
    now += MINUTE;
    warn('clock', 'after');
    expect(written).toEqual(['before', 'after']);
  });

  it('survives a sink that throws', () => {
    const broken = jest.fn((_message: string) => {
      throw new Error('disk full');
    });
    setDiagnosticsSink({ warn: broken });
    expect(() => warn('broken sink', 'message')).not.toThrow();
    expect(broken).toHaveBeenCalledWith('message');
  });

  it("writes to OpenTelemetry's diag where there is no other sink", () => {
    const diagWarn = jest.fn();
    const silent = () => {};
    diag.setLogger({ error: silent, warn: diagWarn, info: silent, debug: silent, verbose: silent }, DiagLogLevel.WARN);
    try {
      setDiagnosticsSink();
      warn('to diag', 'message');
      expect(diagWarn).toHaveBeenCalledWith('nestjs-tracing', 'message');
    } finally {
      diag.disable();
    }
  });
});

describe('callSafely()', () => {
  it('returns what the function returns', () => {
    expect(callSafely('a hook', () => 42)).toBe(42);
    expect(written).toEqual([]);
  });

  it('reports what it throws, by name, and returns undefined', () => {
    const result = callSafely('http.requestHook', () => {
      throw new RangeError('too far');
    });
    expect(result).toBeUndefined();
    expect(written).toEqual(['http.requestHook threw and was ignored: RangeError: too far']);
  });

  it('reports a hook that fails on every call once a minute', () => {
    for (let call = 0; call < 1000; call++) reportIgnored('a busy hook', new Error('again'));
    expect(written).toHaveLength(1);
    now += MINUTE;
    reportIgnored('a busy hook', new Error('again'));
    expect(written[1]).toMatch(/\(999 more since\)$/);
  });

  it('reports an async function that rejects, so that it does not end the process', async () => {
    const unhandled = await unhandledRejections(async () => {
      void callSafely('an async hook', async () => {
        await setImmediate();
        throw new Error('late');
      });
      await setImmediate();
    });
    expect(unhandled).toEqual([]);
    expect(written).toEqual(['an async hook threw and was ignored: Error: late']);
  });
});

describe('describeError()', () => {
  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error('trap');
      },
      getPrototypeOf() {
        throw new Error('trap');
      },
    },
  );

  it.each([
    ['an error', () => new TypeError('wrong'), 'TypeError: wrong'],
    ['an error without a message', () => new Error(''), 'Error'],
    ['a text', () => 'text', 'text'],
    ['a symbol', () => Symbol('mark'), 'Symbol(mark)'],
    ['null', () => null, 'null'],
    ['undefined', () => undefined, 'undefined'],
    ['a bigint', () => 12n, '12'],
    ['a function', () => function failing() {}, 'function failing'],
    ['an object without a prototype', () => Object.create(null) as object, 'an error that cannot be described'],
    ['a proxy that throws', () => hostile, 'an error that cannot be described'],
  ])('describes %s', (_, thrown, expected) => {
    expect(describeError(thrown())).toBe(expected);
  });

  it('keeps it short', () => {
    expect(describeError(new Error('x'.repeat(1_000_000)))).toHaveLength(1024);
  });
});

describe('reports of ignored errors', () => {
  it('are kept apart by what has thrown', () => {
    reportIgnored('one hook', new Error('no'));
    reportIgnored('another hook', new Error('no'));
    for (const name of ['one predicate', 'another predicate']) evaluatePredicate(name, async () => true);
    expect(written).toEqual([
      'one hook threw and was ignored: Error: no',
      'another hook threw and was ignored: Error: no',
      expect.stringMatching(/^one predicate is async/),
      expect.stringMatching(/^another predicate is async/),
    ]);
  });

  it.each([
    ['a name', { name: 7 }, '7: wrong'],
    ['a message', { message: { a: 1 } }, 'Error: [object Object]'],
  ])('describe an error with %s that is no text', (_, own, expected) => {
    expect(describeError(Object.assign(new Error('wrong'), own))).toBe(expected);
  });
});

// This test must be the last in the file, because the kinds of warnings that it uses up stay used up.
describe('warn() with a kind that is built from data', () => {
  it('keeps a bounded number of kinds, and one for all the rest', () => {
    for (let id = 0; id < 5000; id++) warn(`request ${id}`, `message ${id}`);
    expect(written.length).toBeGreaterThan(200);
    expect(written.length).toBeLessThan(260);
    const before = written.length;
    now += MINUTE;
    warn('request 9999', 'one more');
    expect(written.slice(before)).toEqual([expect.stringMatching(/^one more \(\d{4} more since\)$/)]);
  });
});

describe('evaluatePredicate()', () => {
  it.each([
    [true, true],
    [1, true],
    ['', false],
    [undefined, undefined],
  ])('takes %p for %p', (answer, understood) => {
    expect(evaluatePredicate('http.ignore', () => answer)).toBe(understood);
    expect(written).toEqual([]);
  });

  it('takes a promise for no answer, and says so', async () => {
    const unhandled = await unhandledRejections(() => {
      expect(evaluatePredicate('http.ignore', async () => true)).toBeUndefined();
      expect(evaluatePredicate('http.ignore', () => Promise.reject(new Error('no')))).toBeUndefined();
    });
    expect(unhandled).toEqual([]);
    expect(written[0]).toContain('http.ignore is async');
  });

  it('takes what throws for no answer', () => {
    const fail = () => {
      throw new Error('no');
    };
    expect(evaluatePredicate('http.ignore', fail)).toBeUndefined();
    expect(written[0]).toContain('http.ignore threw');
  });
});
