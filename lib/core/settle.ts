import { types } from 'node:util';
import { context as contextApi } from '@opentelemetry/api';
import { isObservable, type Observable } from 'rxjs';
import { enterContext, leaveContext, ownsActiveContext } from './context-manager.js';
import { reportIgnored } from './diagnostics.js';
import { followGenerator, isGenerator } from './follow-generator.js';
import { followPromise, isThenable } from './follow-promise.js';
import { isObject } from './is-object.js';
import { nesting } from './nesting.js';
import { traceObservable } from './trace-observable.js';
import type { Work } from './work.js';
import type { AnyMethod } from './wrap-method.js';

/**
 * Calls `method` as a work that ends when what it returned is over: a value at once, a promise when it settles, an Observable
 * with each subscription, a generator when it is done. An Observable or a generator that comes out of a promise is waited
 * for as well. Where the work cannot be started, the method is called without it.
 *
 * No function of the library stands between this one and the method: V8 keeps only ten frames of a stack.
 *
 * @param args the arguments, or a function of the work that returns them
 */
export function settle<W extends Work>(
  start: () => W,
  method: AnyMethod,
  thisArg: unknown,
  args: readonly unknown[] | ((work: W | undefined) => readonly unknown[]),
): unknown {
  const work = started(start);
  const given = typeof args === 'function' ? args(work) : args;
  if (!work) return Reflect.apply(method, thisArg, given);
  const { context } = work;
  const enters = context !== undefined && ownsActiveContext();
  const previous = enters ? enterContext(context) : undefined;
  nesting.depth++;
  let result: unknown;
  try {
    result =
      context === undefined || enters
        ? Reflect.apply(method, thisArg, given)
        : contextApi.with(context, Reflect.apply, undefined, method, thisArg, given);
  } catch (thrown) {
    work.failed(thrown);
    throw thrown;
  } finally {
    nesting.depth--;
    if (enters) leaveContext(previous);
  }
  if (isObject(result)) return followResult(result, work, start);
  work.succeeded(result);
  return result;
}

function started<W extends Work>(start: () => W): W | undefined {
  try {
    return start();
  } catch (error) {
    reportIgnored('Starting a span', error);
    return undefined;
  }
}

function followResult(result: object, work: Work, start: () => Work): unknown {
  if (!isThenable(result) || isTraceable(result, work)) return followValue(result, work, start);
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
    if (isTraceable(value, work)) return traceSubscriptions(value, work, start);
    if (isGenerator(value) && followGenerator(value, work)) return value;
  }
  work.succeeded(value);
  return value;
}

// The first subscription carries on the work of the call, which may have attributes and children already.
function traceSubscriptions(source: Observable<unknown>, work: Work, start: () => Work): Observable<unknown> {
  let ofTheCall: Work | undefined = work;
  return traceObservable(source, () => {
    if (!ofTheCall) return started(start);
    const first = ofTheCall;
    ofTheCall = undefined;
    first.restart();
    return first;
  });
}

// A proxy may answer to any name, as remote clients do, and a getter may throw.
function isTraceable(value: object, { followsSubjects }: Work): value is Observable<unknown> {
  try {
    return !types.isProxy(value) && isObservable(value) && (followsSubjects === true || !isSubject(value));
  } catch {
    return false;
  }
}

// A subject has no beginning and no end that belong to this call, and callers expect to call next() on it. What operators
// make of one is called a subject by RxJS as well, but is an Observable like any other.
function isSubject(value: Observable<unknown>): boolean {
  return 'next' in value && typeof value.next === 'function' && Reflect.get(value, 'operator') === undefined;
}
