import { types } from 'node:util';
import { followThenable, type Continuation } from './follow-thenable.js';
import type { Work } from './work.js';

const intrinsicThen = Promise.prototype.then;

/** True for an object that can be awaited. Never throws, whatever getters and proxies do. */
export function isThenable(value: object): value is PromiseLike<unknown> {
  try {
    return types.isPromise(value) || typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return false;
  }
}

/**
 * Calls the continuation when a promise has settled, or when another thenable has been awaited and has settled. Returns the object that
 * the caller gets instead. Undefined if the thenable cannot be followed.
 */
export function followPromise(
  promise: PromiseLike<unknown>,
  work: Pick<Work, 'context'>,
  continuation: Continuation,
): PromiseLike<unknown> | undefined {
  if (isPlainPromise(promise)) return followPlainPromise(promise, continuation);
  return followThenable(promise, work, continuation) ? promise : undefined;
}

/** True for a promise whose class is the `Promise` of any realm, rather than a subclass: those of `fs` and of a test runner come from other realms. */
function isPlainPromise(promise: PromiseLike<unknown>): promise is Promise<unknown> {
  if (!types.isPromise(promise)) return false;
  const prototype = Object.getPrototypeOf(promise) as object | null;
  const parent = prototype && (Object.getPrototypeOf(prototype) as object | null);
  return parent !== null && Object.getPrototypeOf(parent) === null;
}

// The caller gets the derived promise instead of the original one. So a rejection counts as handled exactly if the application handles
// it, and otherwise stays an unhandled rejection.
function followPlainPromise(promise: Promise<unknown>, { onFulfilled, onRejected }: Continuation): Promise<unknown> {
  const followed = intrinsicThen.call(promise, onFulfilled, (thrown: unknown) => {
    onRejected(thrown);
    throw thrown;
  });
  return copyProperties(promise, followed);
}

// Libraries add properties to promises, such as `cancel()`.
function copyProperties(promise: Promise<unknown>, followed: Promise<unknown>): Promise<unknown> {
  for (const key of Reflect.ownKeys(promise)) {
    // Node keeps the asynchronous context of a promise under symbols of its own, which must not be copied.
    if (typeof key === 'symbol' && !key.description?.startsWith('Symbol.')) continue;
    const descriptor = Object.getOwnPropertyDescriptor(promise, key);
    if (descriptor) void Object.defineProperty(followed, key, descriptor);
  }
  return followed;
}
