import { callSafely } from '../../core/diagnostics.js';
import { hideOwnFrames } from '../failure.js';
import type { StartedQuery } from '../start-query.js';

/** A command or a pipeline, which settles its promise by own methods. */
interface Settled {
  resolve?(this: unknown, value: unknown): unknown;
  reject?(this: unknown, error: unknown): unknown;
}

/** The members of a query that its end needs. */
type EndedQuery = Pick<StartedQuery, 'isObserved' | 'succeed' | 'fail'>;

/** The command or pipeline that ioredis is working on, while functions of the library are on the stack. */
let current: object | undefined;

/**
 * Notes that ioredis works on a command or a pipeline from now on, until `leaveTarget()` is called. An error that it creates meanwhile shows
 * no functions of the library. Returns the argument for `leaveTarget()`.
 */
export function enterTarget(target: object): object | undefined {
  const outer = current;
  current = target;
  return outer;
}

export function leaveTarget(outer: object | undefined): void {
  current = outer;
}

/** True while ioredis works on a command or a pipeline that has been followed. */
export function isWorkingOnTarget(): boolean {
  return current !== undefined;
}

/**
 * Ends a query after a command or a pipeline has settled its promise, by its own method `resolve()` or `reject()`. A listener on the
 * promise would handle its rejection. The methods are functions that ioredis has made for this one object, so they are simply replaced.
 *
 * @param succeed ends the query with the value of the promise, if that says more than that there is one
 */
export function endWhenSettled<Query extends EndedQuery>(
  target: object,
  query: Query,
  succeed?: (value: unknown, query: Query) => void,
): void {
  const settled = target as Settled;
  const { resolve } = settled;
  if (typeof resolve === 'function' && query.isObserved) {
    settled.resolve = function (value) {
      // A reply transformer of the application may throw.
      const outer = enterTarget(target);
      const result = resolve.call(this, value);
      leaveTarget(outer);
      if (succeed) callSafely('Ending a span of ioredis', () => succeed(value, query));
      else query.succeed();
      return result;
    };
  }
  onRejected(target, (error) => query.fail(error));
}

/** Removes the frames of the library from the error by which a command or a pipeline is rejected while ioredis works on it. */
export function hideFramesOfRejection(target: object): void {
  onRejected(target, () => {});
}

function onRejected(target: object, fail: (error: unknown) => void): void {
  const settled = target as Settled;
  const { reject } = settled;
  if (typeof reject !== 'function') return;
  settled.reject = function (error) {
    if (current === target) hideOwnFrames(error);
    const result = reject.call(this, error);
    fail(error);
    return result;
  };
}
