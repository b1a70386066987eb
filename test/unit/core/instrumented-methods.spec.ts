import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { registerOwnContextManager } from '../../../lib/core/context-manager.js';
import { callBehindOthers } from '../../../lib/core/instrumented-methods.js';
import { deferred } from '../../support/deferred.js';
import { unhandledRejections } from '../../support/unhandled-rejections.js';

type Method = (this: unknown, value: string) => unknown;

/** A driver whose method calls what it consumes with. */
class Driver {
  readonly calls: string[] = [];

  consume(value: string): string {
    this.calls.push(value);
    return value;
  }
}

/** Puts a function in front of a method, as OpenTelemetry's instrumentations do. */
function instrument(driver: object, by: string): void {
  const original = Reflect.get(driver, 'consume') as Method;
  const wrapped: Method = function (value) {
    return Reflect.apply(original, this, [`${by}(${value})`]);
  };
  Object.assign(wrapped, { __wrapped: true, __original: original, __unwrap: () => {} });
  Object.defineProperty(driver, 'consume', { value: wrapped, configurable: true, writable: true });
}

function instrumentedDriver(...by: string[]): Driver {
  const driver = new Driver();
  for (const each of by) instrument(driver, each);
  return driver;
}

const consumeOf = (driver: Driver) => Object.getOwnPropertyDescriptor(driver, 'consume');

describe.each([
  ['the own context manager', () => registerOwnContextManager()],
  ['another one', () => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())],
])('callBehindOthers() with %s', (_name, register) => {
  beforeAll(() => void register());
  afterAll(() => context.disable());

  it('calls the method behind all instrumentations, and leaves other calls to them', () => {
    const driver = instrumentedDriver('one', 'other');
    const before = consumeOf(driver);
    expect(callBehindOthers(driver, 'consume', () => driver.consume('a'))).toBe('a');
    driver.consume('b');
    expect(driver.calls).toEqual(['a', 'one(other(b))']);
    expect(consumeOf(driver)).toEqual(before);
  });

  it('does so until a promise is settled, also if it rejects', async () => {
    const driver = instrumentedDriver('one');
    const before = consumeOf(driver);
    const failure = new Error('refused');
    const late = deferred();
    const result = callBehindOthers(driver, 'consume', async () => {
      await Promise.resolve();
      driver.consume('a');
      // The context of the call lives on in what it has started.
      void late.promise.then(() => driver.consume('late'));
      throw failure;
    });
    await expect(result).rejects.toBe(failure);
    driver.consume('b');
    expect(consumeOf(driver)).toEqual(before);
    late.resolve();
    await late.promise;
    expect(driver.calls).toEqual(['a', 'one(b)', 'one(late)']);
  });

  it('leaves all other calls to the instrumentations while a call is pending', async () => {
    const driver = instrumentedDriver('one');
    const gate = deferred();
    const pending = callBehindOthers(driver, 'consume', async () => {
      await gate.promise;
      driver.consume('of the library');
    });
    driver.consume('of the application');
    gate.resolve();
    await pending;
    expect(driver.calls).toEqual(['one(of the application)', 'of the library']);
  });

  it.each([
    ['the first', [0, 1]],
    ['the second', [1, 0]],
  ] as const)('keeps two calls apart of which %s ends first', async (_order, order) => {
    const driver = instrumentedDriver('one');
    const before = consumeOf(driver);
    const gates = [deferred(), deferred()] as const;
    const calls = gates.map(({ promise }, index) =>
      callBehindOthers(driver, 'consume', async () => {
        driver.consume(`${index} at once`);
        await promise;
        driver.consume(`${index} later`);
      }),
    );
    for (const index of order) {
      gates[index].resolve();
      await calls[index];
      driver.consume(`after ${index}`);
    }
    const [first, second] = order;
    expect(driver.calls).toEqual([
      '0 at once',
      '1 at once',
      `${first} later`,
      `one(after ${first})`,
      `${second} later`,
      `one(after ${second})`,
    ]);
    expect(consumeOf(driver)).toEqual(before);
  });

  it('leaves a rejection unhandled if the caller does not handle it', async () => {
    const driver = instrumentedDriver('one');
    const failure = new Error('refused');
    const run = () => void callBehindOthers(driver, 'consume', () => Promise.reject(failure));
    await expect(unhandledRejections(run)).resolves.toEqual([failure]);
  });

  it('leaves a driver without instrumentation, or what is no driver, alone', () => {
    const driver = Object.freeze(new Driver());
    expect(callBehindOthers(driver, 'consume', () => driver.consume('a'))).toBe('a');
    for (const other of [undefined, null, 'text', {}, { consume: 7 }])
      expect(callBehindOthers(other, 'consume', () => 'result')).toBe('result');
    expect(() => callBehindOthers(driver, 'consume', () => JSON.parse('{'))).toThrow(SyntaxError);
    const instrumented = instrumentedDriver('one');
    expect(() => callBehindOthers(instrumented, 'consume', () => JSON.parse('{'))).toThrow(SyntaxError);
    instrumented.consume('b');
    expect(instrumented.calls).toEqual(['one(b)']);
  });
});
