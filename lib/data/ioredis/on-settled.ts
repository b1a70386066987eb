import { callSafely } from '../../core/diagnostics.js';

/** A command or a pipeline, which settles its promise by own methods. */
interface Settled {
  resolve?(this: unknown, value: unknown): unknown;
  reject?(this: unknown, error: unknown): unknown;
}

/**
 * Calls a function after a command or a pipeline has settled its promise, by its own method `resolve()` or `reject()`. A listener on the
 * promise would handle its rejection. The methods are functions that ioredis has made for this one object, so they are simply replaced.
 */
export function onSettled(target: object, method: keyof Settled, listener: (value: unknown) => void): void {
  const settled = target as Settled;
  const original = settled[method];
  if (typeof original !== 'function') return;
  settled[method] = function (value) {
    const result = original.call(this, value);
    callSafely('Ending a span of ioredis', () => listener(value));
    return result;
  };
}
