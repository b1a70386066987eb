import { followPromise, isThenable } from './follow-promise.js';
import { isObject } from './is-object.js';

/** Calls a function when a method has succeeded or failed, before its caller continues: with the value, or with the error. Returns the result of the method, or a promise of it. */
export function afterwards(
  result: unknown,
  onSuccess: (value: unknown) => void,
  onRejected: (error: unknown) => void = () => {},
): unknown {
  if (!isObject(result) || !isThenable(result)) {
    onSuccess(result);
    return result;
  }
  function onFulfilled(value: unknown): unknown {
    onSuccess(value);
    return value;
  }
  return followPromise(result, { context: undefined }, { onFulfilled, onRejected }) ?? result;
}
