import { followPromise, isThenable } from '../../core/follow-promise.js';
import type { Continuation } from '../../core/follow-thenable.js';
import { isObject } from '../../core/is-object.js';

/**
 * Calls the continuation when a promise of pg has settled. Such a promise is never lazy, and may be of the class in the option `Promise`, such as
 * that of Bluebird, whose methods do not call the `then()` of the object.
 *
 * @returns a promise of the same class and with the same result. Undefined if `result` is no promise
 */
export function followEagerly(result: unknown, continuation: Continuation): unknown {
  if (!isObject(result) || !isThenable(result)) return undefined;
  if (Object.getPrototypeOf(result) === Promise.prototype)
    return followPromise(result, { context: undefined }, continuation);
  return result.then(
    (value) => continuation.onFulfilled(value),
    (thrown: unknown) => {
      continuation.onRejected(thrown);
      throw thrown;
    },
  );
}
