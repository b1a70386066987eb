import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { beforeDeadline } from '../../../lib/export/time-limit.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('beforeDeadline()', () => {
  it.each<[string, boolean, () => Promise<unknown> | undefined]>([
    ['is done', true, () => Promise.resolve()],
    ['had nothing to do', true, () => undefined],
    ['rejects', false, () => Promise.reject(new Error('no'))],
    [
      'throws',
      false,
      () => {
        throw new Error('no');
      },
    ],
  ])('says whether work that %s was done, and leaves no timer', async (_, done, work) => {
    await expect(beforeDeadline(Date.now() + 1000, work)).resolves.toBe(done);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('stops waiting at the deadline', async () => {
    let answer: boolean | undefined;
    const waiting = beforeDeadline(Date.now() + 1000, () => new Promise(() => {})).then((done) => (answer = done));
    await jest.advanceTimersByTimeAsync(999);
    expect(answer).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1);
    await waiting;
    expect(answer).toBe(false);
  });

  it('gives work at a deadline that has passed the chance to be done at once', async () => {
    await expect(beforeDeadline(Date.now() - 5, () => Promise.resolve())).resolves.toBe(true);
    const waiting = beforeDeadline(Date.now() - 5, () => new Promise(() => {}));
    await jest.advanceTimersByTimeAsync(1);
    await expect(waiting).resolves.toBe(false);
  });

  it('swallows a rejection that comes after the deadline', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    try {
      const late = new Promise((_, reject) => setTimeout(() => reject(new Error('too late')), 2000));
      const waiting = beforeDeadline(Date.now() + 1000, () => late);
      await jest.advanceTimersByTimeAsync(3000);
      await expect(waiting).resolves.toBe(false);
      jest.useRealTimers();
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.removeListener('unhandledRejection', unhandled);
    }
  });
});
