import { types } from 'node:util';
import { isObservable, type Observable } from 'rxjs';
import { followGenerator, isGenerator } from './follow-generator.js';
import { followPromise, isThenable } from './follow-promise.js';
import { traceObservable } from './trace-observable.js';
import type { Work } from './work.js';

/**
 * Calls `call` as a work that ends when what it returned is over: a value at once, a promise when it settles, an Observable
 * with each subscription, a generator when it is done. An Observable or a generator that comes out of a promise is waited
 * for as well.
 */
export function settle<T, W extends Work>(start: () => W, call: (work: W) => T): T {
  const work = start();
  let result: T;
  try {
    result = work.run(() => call(work));
  } catch (thrown) {
    work.failed(thrown);
    throw thrown;
  }
  if (isObject(result)) return followResult(result, work, start) as T;
  work.succeeded(result);
  return result;
}

function followResult(result: object, work: Work, start: () => Work): unknown {
  if (!isThenable(result) || isTraceable(result)) return followValue(result, work, start);
  const followed = followPromise(result, work, {
    fulfilled: (value) => followValue(value, work, start),
    rejected: (thrown) => work.failed(thrown),
  });
  if (followed) return followed;
  work.succeeded(result);
  return result;
}

function followValue(value: unknown, work: Work, start: () => Work): unknown {
  if (isObject(value)) {
    if (isTraceable(value)) return traceSubscriptions(value, work, start);
    if (isGenerator(value) && followGenerator(value, work)) return value;
  }
  work.succeeded(value);
  return value;
}

// The first subscription carries on the work of the call, which may have attributes and children already.
function traceSubscriptions(source: Observable<unknown>, work: Work, start: () => Work): Observable<unknown> {
  let ofTheCall: Work | undefined = work;
  return traceObservable(source, () => {
    const started = ofTheCall ?? start();
    ofTheCall = undefined;
    return started;
  });
}

// A proxy may answer to any name, as remote clients do, and a getter may throw.
function isTraceable(value: object): value is Observable<unknown> {
  try {
    return !types.isProxy(value) && isObservable(value) && !isSubject(value);
  } catch {
    return false;
  }
}

// A subject has no beginning and no end that belong to this call, and callers expect to call next() on it. What operators
// make of one is called a subject by RxJS as well, but is an Observable like any other.
function isSubject(value: Observable<unknown>): boolean {
  return 'next' in value && typeof value.next === 'function' && Reflect.get(value, 'operator') === undefined;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
