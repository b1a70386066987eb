import { afterwards } from '../core/afterwards.js';
import { hideOwnFrames } from './failure.js';

/** Returns a promise of the same result, whose error shows no functions of the library: it was created while they were on the stack. */
export function withoutFramesOfRejection(result: unknown, onRejected: (error: unknown) => void = () => {}): unknown {
  return afterwards(
    result,
    () => {},
    (error) => {
      hideOwnFrames(error);
      onRejected(error);
    },
  );
}
