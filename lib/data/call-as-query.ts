import type { Context } from '@opentelemetry/api';
import { callInContext } from '../core/context-manager.js';
import { followPromise, isThenable } from '../core/follow-promise.js';
import { interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import type { AnyMethod } from '../core/wrap-method.js';
import { hideOwnFrames } from './failure.js';
import type { StartedQuery } from './start-query.js';

/** The members of a query that its end needs. */
type EndedQuery = Pick<StartedQuery, 'context' | 'succeed' | 'fail'>;

/**
 * Calls a method that works on a query and returns a promise, in the context of the query: the queries of inner layers have no span. The
 * query ends with the promise.
 *
 * @param onValue called with the value of the promise, before the query ends
 * @returns the result of the method, or a promise of the same result
 */
export function callAsQuery(
  method: AnyMethod,
  thisArg: unknown,
  args: readonly unknown[],
  query: EndedQuery,
  onValue?: (value: unknown) => void,
): unknown {
  try {
    const result = callInContext(query.context, method, thisArg, args);
    if (isObject(result) && isThenable(result)) return followCall(result, query, onValue);
    query.succeed();
    return result;
  } catch (error) {
    failAtOnce(error, query);
    throw error;
  }
}

/** Follows the promise of a call. An async method that throws before it waits has rejected it already: that error has the frames of the call. */
function followCall(result: object, query: EndedQuery, onValue?: (value: unknown) => void): unknown {
  let isNew = true;
  const called = {
    context: query.context,
    succeed: () => query.succeed(),
    fail: (error: unknown) => (isNew ? failAtOnce(error, query) : query.fail(error)),
  };
  const followed = followQuery(result, called, onValue);
  // The reaction to a promise that is rejected already comes before.
  queueMicrotask(() => {
    isNew = false;
  });
  return followed;
}

/** Ends a query with an error that the driver has thrown at once, rather than rejected a promise with. */
export function failAtOnce(error: unknown, query: Pick<EndedQuery, 'fail'>): void {
  hideOwnFrames(error);
  query.fail(error);
}

/**
 * Ends a query with the result of the method that works on it, which may be a promise.
 *
 * @param onValue called with the value of the promise, before the query ends
 * @returns the result, or a promise of the same result
 */
export function followQuery(result: unknown, query: EndedQuery, onValue: (value: unknown) => void = () => {}): unknown {
  const followed =
    isObject(result) && isThenable(result)
      ? followPromise(result, query, {
          onFulfilled(value) {
            onValue(value);
            query.succeed();
            return value;
          },
          onRejected: (error) => query.fail(error),
        })
      : undefined;
  if (!followed) query.succeed();
  return followed ?? result;
}

/**
 * Ends a query with the callback that its library calls, in the context of whatever has come from the socket. The callback of the application
 * runs in the context of the caller.
 */
export function followCallback(callback: AnyMethod, query: EndedQuery, caller: Context): AnyMethod {
  return function (this: unknown, error: unknown, ...results: unknown[]): unknown {
    if (error) query.fail(error);
    else query.succeed();
    return callForCaller(caller, callback, this, [error, ...results]);
  };
}

/** Calls a callback of the application in the context of the caller. An exception of the callback has no frames of the library. */
export function callForCaller(
  caller: Context,
  callback: AnyMethod,
  thisArg: unknown,
  args: readonly unknown[],
): unknown {
  try {
    return callInContext(caller, callback, thisArg, args);
  } catch (thrown) {
    hideOwnFrames(thrown);
    throw thrown;
  }
}

/**
 * Ends a query with the events of the emitter that works on it: a command or a stream. The listeners of the application run in the context of the
 * caller.
 *
 * @param ends the events by which it ends, other than `error`
 */
export function followEvents(emitter: object, query: EndedQuery, caller: Context, ends: readonly string[]): void {
  interceptMethod(emitter, 'emit', (emit, thisArg, args) => {
    const [event, error] = args;
    if (event === 'error') query.fail(error);
    else if (ends.includes(event as string)) query.succeed();
    return callForCaller(caller, emit, thisArg, args);
  });
}
