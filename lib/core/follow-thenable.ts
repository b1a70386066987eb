import { context } from '@opentelemetry/api';
import { shadow } from './shadow.js';
import { callWithin, type Work } from './work.js';

/** What is to happen before the caller hears how the work turned out. */
export interface Continuation {
  /** Returns what the caller gets. */
  fulfilled(value: unknown): unknown;
  rejected(thrown: unknown): void;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Continues when a thenable that may be lazy, such as a query builder, has been awaited and has settled.
 *
 * Calling `then` starts the work of such an object, and calling it twice starts it twice. So it is left alone until the
 * caller awaits it, which then happens as a part of the work. Subclasses of Promise are treated the same way: they may be
 * lazy, callers need their own methods, and listening to one would make a rejection that nobody handles count as handled.
 *
 * Returns false where the object cannot be followed.
 */
export function followThenable(
  thenable: PromiseLike<unknown>,
  work: Pick<Work, 'context'>,
  { fulfilled, rejected }: Continuation,
): boolean {
  const then = thenable.then as Method;

  function start(this: unknown, onFulfilled?: unknown, onRejected?: unknown): unknown {
    restore();
    const outside = context.active();
    function whenFulfilled(value: unknown): unknown {
      const result = fulfilled(value);
      return isListener(onFulfilled) ? context.with(outside, onFulfilled, undefined, result) : result;
    }
    function whenRejected(thrown: unknown): unknown {
      rejected(thrown);
      if (isListener(onRejected)) return context.with(outside, onRejected, undefined, thrown);
      throw thrown;
    }
    try {
      return callWithin(work, then, this, [whenFulfilled, whenRejected]);
    } catch (thrown) {
      rejected(thrown);
      throw thrown;
    }
  }

  // Not every thenable's catch() and finally() go through its then().
  function startBy(name: 'catch' | 'finally'): Method {
    return function (this: unknown, ...args) {
      const started = Reflect.apply(start, this, []) as Record<string, unknown> | undefined;
      const promise = typeof started?.[name] === 'function' ? started : Promise.resolve(started);
      return Reflect.apply((promise as Record<string, unknown>)[name] as Method, promise, args);
    };
  }

  const undo: (() => void)[] = [];
  function restore(): void {
    for (const revert of undo.splice(0)) revert();
  }

  const followed = shadow(thenable, 'then', start);
  if (!followed) return false;
  undo.push(followed);
  for (const name of ['catch', 'finally'] as const) {
    if (typeof (thenable as unknown as Record<string, unknown>)[name] !== 'function') continue;
    const reverted = shadow(thenable, name, startBy(name));
    if (reverted) undo.push(reverted);
  }
  return true;
}

function isListener(value: unknown): value is (settled: unknown) => unknown {
  return typeof value === 'function';
}
