import { callInContext } from '../core/context-manager.js';
import { followPromise, isThenable } from '../core/follow-promise.js';
import { isObject } from '../core/is-object.js';
import type { AnyMethod } from '../core/wrap-method.js';
import type { StartedQuery } from './start-query.js';

/** The members of a query that its end needs. */
type EndedQuery = Pick<StartedQuery, 'context' | 'succeed' | 'fail'>;

/**
 * Calls a method that works on a query and returns a promise, in the context of the query: the queries of inner layers have no span. The
 * query ends with the promise.
 *
 * @returns the result of the method, or a promise of the same result
 */
export function callAsQuery(method: AnyMethod, thisArg: unknown, args: readonly unknown[], query: EndedQuery): unknown {
  try {
    return followAsQuery(callInContext(query.context, method, thisArg, args), query);
  } catch (error) {
    query.fail(error);
    throw error;
  }
}

/** Ends a query with the result of the method that works on it. */
function followAsQuery(result: unknown, query: EndedQuery): unknown {
  const followed =
    isObject(result) && isThenable(result)
      ? followPromise(result, query, {
          onFulfilled(value) {
            query.succeed();
            return value;
          },
          onRejected: (error) => query.fail(error),
        })
      : undefined;
  if (!followed) query.succeed();
  return followed ?? result;
}
