import { callSafely } from '../../core/diagnostics.js';
import type { StartedQuery } from '../start-query.js';

/** A command or a pipeline, which settles its promise by own methods. */
interface Settled {
  resolve?(this: unknown, value: unknown): unknown;
  reject?(this: unknown, error: unknown): unknown;
}

/**
 * Ends a query after a command or a pipeline has settled its promise, by its own method `resolve()` or `reject()`. A listener on the
 * promise would handle its rejection. The methods are functions that ioredis has made for this one object, so they are simply replaced.
 *
 * @param succeed ends the query with the value of the promise, if that says more than that there is one
 */
export function endWhenSettled(
  target: object,
  query: StartedQuery,
  succeed?: (value: unknown, query: StartedQuery) => void,
): void {
  const settled = target as Settled;
  const { reject, resolve } = settled;
  if (typeof resolve === 'function' && query.isObserved) {
    settled.resolve = function (value) {
      const result = resolve.call(this, value);
      if (succeed) callSafely('Ending a span of ioredis', () => succeed(value, query));
      else query.succeed();
      return result;
    };
  }
  if (typeof reject === 'function') {
    settled.reject = function (error) {
      const result = reject.call(this, error);
      query.fail(error);
      return result;
    };
  }
}
