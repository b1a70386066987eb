import { callSafely } from '../core/diagnostics.js';
import { followPromise, isThenable } from '../core/follow-promise.js';
import { isObject } from '../core/is-object.js';
import { hideOwnFrames } from './failure.js';

/** Returns a promise of the same result, whose error shows no functions of the library: it was created while they were on the stack. */
export function withoutFramesOfRejection(result: unknown, onRejected: (error: unknown) => void = () => {}): unknown {
  if (!isObject(result) || !isThenable(result)) return result;
  const continuation = {
    onFulfilled: (value: unknown) => value,
    onRejected(error: unknown) {
      callSafely('Removing frames from a stack', () => hideOwnFrames(error));
      onRejected(error);
    },
  };
  return followPromise(result, { context: undefined }, continuation) ?? result;
}
