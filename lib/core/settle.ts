import { types } from 'node:util';
import { isObservable, type Observable } from 'rxjs';
import { followGenerator, isGenerator } from './follow-generator.js';
import { followPromise, isThenable } from './follow-promise.js';
import type { Operation } from './operation.js';
import { outcomeOf, type Outcome, type OutcomeOptions } from './outcome.js';
import { traceObservable } from './trace-observable.js';

/** How an operation is started, and what it says of its outcome. */
export interface Observed extends OutcomeOptions {
  start: () => Operation;
}

/** An operation whose call has returned, and may or may not be over. */
interface Pending {
  readonly operation: Operation;
  readonly outcome: Outcome;
  readonly observed: Observed;
}

/**
 * Calls `call` inside an operation that ends when what it returned is over: a value at once, a promise when it settles,
 * an Observable with each subscription, a generator when it is done. An Observable or a generator that comes out of a
 * promise is waited for as well.
 */
export function settle<T>(observed: Observed, call: (operation: Operation) => T): T {
  const operation = observed.start();
  const outcome = outcomeOf(operation, observed);
  let result: T;
  try {
    result = operation.run(() => call(operation));
  } catch (thrown) {
    outcome.failed(thrown);
    throw thrown;
  }
  return followResult(result, { operation, outcome, observed }) as T;
}

function followResult(result: unknown, pending: Pending): unknown {
  const { operation, outcome } = pending;
  if (!isObject(result) || !isThenable(result) || isTraceable(result)) return followValue(result, pending);
  const followed = followPromise(result, operation, {
    fulfilled: (value) => followValue(value, pending),
    rejected: (thrown) => outcome.failed(thrown),
  });
  if (followed) return followed;
  outcome.succeeded(result);
  return result;
}

function followValue(value: unknown, pending: Pending): unknown {
  const { operation, outcome } = pending;
  if (isObject(value)) {
    if (isTraceable(value)) return traceSubscriptions(value, pending);
    if (isGenerator(value) && followGenerator(value, operation, outcome)) return value;
  }
  outcome.succeeded(value);
  return value;
}

// The first subscription carries on the operation of the call, which may have attributes and children already.
function traceSubscriptions(source: Observable<unknown>, { operation, observed }: Pending): Observable<unknown> {
  let ofTheCall: Operation | undefined = operation;
  function start(): Operation {
    const started = ofTheCall ?? observed.start();
    ofTheCall = undefined;
    return started;
  }
  return traceObservable(source, { ...observed, start });
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
