import { followPromise, isThenable } from './follow-promise.js';
import { isObject } from './is-object.js';

/** Calls a function when a method has succeeded or failed, before its caller continues. Returns the result of the method, or a promise of it. */
export function afterwards(
  result: unknown,
  onSuccess: () => void,
  onRejected: (error: unknown) => void = () => {},
): unknown {
  if (!isObject(result) || !isThenable(result)) {
    onSuccess();
    return result;
  }
  function onFulfilled(value: unknown): unknown {
    onSuccess();
    return value;
  }
  return followPromise(result, { context: undefined }, { onFulfilled, onRejected }) ?? result;
}
