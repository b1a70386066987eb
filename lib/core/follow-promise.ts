import { types } from 'node:util';
import { followThenable, type Continuation } from './follow-thenable.js';
import type { Work } from './work.js';

const intrinsicThen = Promise.prototype.then;

/** Anything that can be awaited. Never throws, whatever getters and proxies do. */
export function isThenable(value: object): value is PromiseLike<unknown> {
  try {
    return types.isPromise(value) || typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return false;
  }
}

/**
 * Continues when a promise has settled, or another thenable that is awaited. Returns what the caller is to have, or
 * undefined where the thenable cannot be followed.
 */
export function followPromise(
  promise: PromiseLike<unknown>,
  work: Pick<Work, 'context'>,
  continuation: Continuation,
): PromiseLike<unknown> | undefined {
  if (isPlain(promise)) return followPlainPromise(promise, continuation);
  return followThenable(promise, work, continuation) ? promise : undefined;
}

/** A promise of the language itself, of any realm: fs promises and a test runner's are not of the same class. */
function isPlain(promise: PromiseLike<unknown>): promise is Promise<unknown> {
  if (!types.isPromise(promise)) return false;
  const prototype = Object.getPrototypeOf(promise) as object | null;
  const parent = prototype && (Object.getPrototypeOf(prototype) as object | null);
  return parent !== null && Object.getPrototypeOf(parent) === null;
}

// The caller gets the promise that waits for the operation's end, so that a rejection nobody handles stays one, and one
// that somebody handles is handled.
function followPlainPromise(promise: Promise<unknown>, { fulfilled, rejected }: Continuation): Promise<unknown> {
  const followed = intrinsicThen.call(promise, fulfilled, (thrown: unknown) => {
    rejected(thrown);
    throw thrown;
  });
  return withPropertiesOf(promise, followed);
}

// Such as `cancel()`, which libraries like to add to a promise.
function withPropertiesOf(promise: Promise<unknown>, followed: Promise<unknown>): Promise<unknown> {
  for (const key of Reflect.ownKeys(promise)) {
    // Node itself keeps the asynchronous context of a promise under symbols of its own.
    if (typeof key === 'symbol' && !key.description?.startsWith('Symbol.')) continue;
    const descriptor = Object.getOwnPropertyDescriptor(promise, key);
    if (descriptor) void Object.defineProperty(followed, key, descriptor);
  }
  return followed;
}
