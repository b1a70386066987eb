import { followPromise, isThenable } from '../../core/follow-promise.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { QuerySpanWatch } from '../../core/query-span-watch.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import type { StartedQuery } from '../start-query.js';

/**
 * Follows the asynchronous iterator of a query, which is made when the iterator is asked for its first rows. The query ends with the last row,
 * with an error, or when the consumer stops.
 *
 * @param startIfSilent starts the query if the driver has no span
 */
export function followStream(iterator: object, startIfSilent: (startedAt: number) => StartedQuery | undefined): void {
  let query: StartedQuery | undefined;
  let isFirst = true;

  /** The driver may make the query, and have the span, within the first step. */
  function callFirst(step: AnyMethod, thisArg: unknown, args: readonly unknown[]): unknown {
    const startedAt = performance.now();
    const watch = new QuerySpanWatch();
    try {
      return Reflect.apply(step, thisArg, args);
    } finally {
      watch.stop();
      if (!watch.isTaken) query = startIfSilent(startedAt);
    }
  }

  for (const name of ['next', 'return', 'throw'] as const) {
    interceptMethod(iterator, name, (step, thisArg, args) => {
      const wasFirst = isFirst;
      isFirst = false;
      const result = wasFirst && name === 'next' ? callFirst(step, thisArg, args) : Reflect.apply(step, thisArg, args);
      return query ? endWith(result, query) : result;
    });
  }
}

/** Ends the query with the step after which the iterator is done. */
function endWith(result: unknown, query: StartedQuery): unknown {
  if (!isObject(result) || !isThenable(result)) return result;
  const continuation = {
    onFulfilled(value: unknown) {
      if (isObject(value) && (value as { done?: unknown }).done === true) query.succeed();
      return value;
    },
    onRejected: (error: unknown) => query.fail(error),
  };
  return followPromise(result, { context: undefined }, continuation) ?? result;
}
