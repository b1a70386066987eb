import { describe, expect, it } from '@jest/globals';
import { callBehindOthers } from '../../../lib/core/instrumented-methods.js';

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

describe('callBehindOthers', () => {
  it('calls the method behind all instrumentations, and leaves other calls to them', () => {
    const driver = new Driver();
    instrument(driver, 'one');
    instrument(driver, 'other');
    const before = Object.getOwnPropertyDescriptor(driver, 'consume');
    expect(callBehindOthers(driver, 'consume', () => driver.consume('a'))).toBe('a');
    driver.consume('b');
    expect(driver.calls).toEqual(['a', 'one(other(b))']);
    expect(Object.getOwnPropertyDescriptor(driver, 'consume')).toEqual(before);
  });

  it('does so until a promise is settled, which is the result', async () => {
    const driver = new Driver();
    instrument(driver, 'one');
    const failure = new Error('refused');
    const promise = (async () => {
      await Promise.resolve();
      driver.consume('a');
      throw failure;
    })();
    const result = callBehindOthers(driver, 'consume', () => promise);
    expect(result).toBe(promise);
    await expect(result).rejects.toBe(failure);
    await Promise.resolve();
    driver.consume('b');
    expect(driver.calls).toEqual(['a', 'one(b)']);
  });

  it('leaves a driver without instrumentation, or what is no driver, alone', () => {
    const driver = Object.freeze(new Driver());
    expect(callBehindOthers(driver, 'consume', () => driver.consume('a'))).toBe('a');
    for (const other of [undefined, null, 'text', {}, { consume: 7 }])
      expect(callBehindOthers(other, 'consume', () => 'result')).toBe('result');
    expect(() => callBehindOthers(driver, 'consume', () => JSON.parse('{'))).toThrow(SyntaxError);
  });
});
