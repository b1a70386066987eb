import { context } from '@opentelemetry/api';
import { overrideOnInstance } from './override-on-instance.js';
import { callInWork, type Work } from './work.js';
import type { AnyMethod } from './wrap-method.js';

/** Functions that are called when a thenable has settled, before the listeners of the caller are. */
export interface Continuation {
  /** Returns the value that the caller gets. */
  onFulfilled(value: unknown): unknown;
  onRejected(thrown: unknown): void;
}

/**
 * Calls the continuation when a thenable that may be lazy, such as a query builder, has been awaited and has settled.
 *
 * Calling `then` on such an object starts it, and a second call starts it twice. So the library does not call `then` until the caller
 * awaits the object, which then runs in the context of the work. Subclasses of Promise are treated the same way: they may be lazy,
 * callers need the methods of the subclass, and a listener of the library would make an unhandled rejection count as handled.
 *
 * Returns false if the object cannot be followed.
 */
export function followThenable(
  thenable: PromiseLike<unknown>,
  work: Pick<Work, 'context'>,
  { onFulfilled, onRejected }: Continuation,
): boolean {
  const then = thenable.then as AnyMethod;

  function tracedThen(this: unknown, callerOnFulfilled?: unknown, callerOnRejected?: unknown): unknown {
    restore();
    const outside = context.active();
    function handleFulfilment(value: unknown): unknown {
      const result = onFulfilled(value);
      return isListener(callerOnFulfilled) ? context.with(outside, callerOnFulfilled, undefined, result) : result;
    }
    function handleRejection(thrown: unknown): unknown {
      onRejected(thrown);
      if (isListener(callerOnRejected)) return context.with(outside, callerOnRejected, undefined, thrown);
      throw thrown;
    }
    try {
      return callInWork(work, then, this, [handleFulfilment, handleRejection]);
    } catch (thrown) {
      onRejected(thrown);
      throw thrown;
    }
  }

  // The catch() and finally() of some thenables do not call their then().
  function callAfterThen(name: 'catch' | 'finally'): AnyMethod {
    return function (this: unknown, ...args) {
      const started = Reflect.apply(tracedThen, this, []) as Record<string, unknown> | undefined;
      const promise = typeof started?.[name] === 'function' ? started : Promise.resolve(started);
      return Reflect.apply((promise as Record<string, unknown>)[name] as AnyMethod, promise, args);
    };
  }

  const undos: (() => void)[] = [];
  function restore(): void {
    for (const undo of undos.splice(0)) undo();
  }

  const undoThen = overrideOnInstance(thenable, 'then', tracedThen);
  if (!undoThen) return false;
  undos.push(undoThen);
  for (const name of ['catch', 'finally'] as const) {
    if (typeof (thenable as unknown as Record<string, unknown>)[name] !== 'function') continue;
    const undo = overrideOnInstance(thenable, name, callAfterThen(name));
    if (undo) undos.push(undo);
  }
  return true;
}

function isListener(value: unknown): value is (settled: unknown) => unknown {
  return typeof value === 'function';
}
