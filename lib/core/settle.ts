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
 * Calls `method` as a work, which ends when the result is settled: a value at once, a promise when it settles, an Observable with
 * each subscription, a generator when it is done. An Observable or a generator that a promise resolves to is followed as well. If the
 * work cannot be started, the method is called without it.
 *
 * This function calls the method directly, with no other function of the library in between: V8 keeps only ten frames of a stack.
 *
 * @param args the arguments, or a function that receives the work and returns the arguments
 */
export function settle<W extends Work>(
  start: () => W,
  method: AnyMethod,
  thisArg: unknown,
  args: readonly unknown[] | ((work: W | undefined) => readonly unknown[]),
): unknown {
  const work = tryStart(start);
  const methodArgs = typeof args === 'function' ? args(work) : args;
  if (!work) return Reflect.apply(method, thisArg, methodArgs);
  const { context } = work;
  const entersContext = context !== undefined && ownsActiveContext();
  const previous = entersContext ? enterContext(context) : undefined;
  nesting.depth++;
  let result: unknown;
  try {
    result =
      context === undefined || entersContext
        ? Reflect.apply(method, thisArg, methodArgs)
        : contextApi.with(context, Reflect.apply, undefined, method, thisArg, methodArgs);
  } catch (thrown) {
    work.fail(thrown);
    throw thrown;
  } finally {
    nesting.depth--;
    if (entersContext) leaveContext(previous);
  }
  if (isObject(result)) return followResult(result, work, start);
  work.succeed(result);
  return result;
}

function tryStart<W extends Work>(start: () => W): W | undefined {
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
    onFulfilled: (value) => followValue(value, work, start),
    onRejected: (thrown) => work.fail(thrown),
  });
  if (followed) return followed;
  work.succeed(result);
  return result;
}

function followValue(value: unknown, work: Work, start: () => Work): unknown {
  if (isObject(value) && work.isOnlyAwaited !== true) {
    if (isTraceable(value, work)) return traceSubscriptions(value, work, start);
    if (isGenerator(value) && followGenerator(value, work)) return value;
  }
  work.succeed(value);
  return value;
}

// The first subscription continues the work of the call, which may have attributes and child spans already. Every further subscription
// starts a work of its own.
function traceSubscriptions(source: Observable<unknown>, work: Work, start: () => Work): Observable<unknown> {
  let workOfCall: Work | undefined = work;
  return traceObservable(source, () => {
    if (!workOfCall) return tryStart(start);
    const first = workOfCall;
    workOfCall = undefined;
    first.restart();
    return first;
  });
}

// A proxy may have a value for every property name, as proxies of remote clients do, and a getter may throw.
function isTraceable(value: object, { followsSubjects, isOnlyAwaited }: Work): value is Observable<unknown> {
  if (isOnlyAwaited === true) return false;
  try {
    return !types.isProxy(value) && isObservable(value) && (followsSubjects === true || !isSubject(value));
  } catch {
    return false;
  }
}

// The life of a Subject does not belong to this call, and callers expect to call next() on it. RxJS also uses the class Subject for the
// result of an operator on a Subject; that result has an `operator`, and is an Observable like any other.
function isSubject(value: Observable<unknown>): boolean {
  return 'next' in value && typeof value.next === 'function' && Reflect.get(value, 'operator') === undefined;
}
