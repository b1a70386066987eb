import { createContextKey } from '@opentelemetry/api';
import { afterwards } from './afterwards.js';
import { activeContext, callInContext } from './context-manager.js';
import { interceptMethod } from './intercept-method.js';
import { isObject } from './is-object.js';
import type { AnyMethod } from './wrap-method.js';

/** The marks that a function of OpenTelemetry's instrumentations has, and the method that it is in front of. */
interface InstrumentedMethod {
  readonly __wrapped?: unknown;
  readonly __original?: unknown;
}

/** True if another instrumentation has put its own function in front of a method of a driver. */
export function isWrappedElsewhere(method: object): boolean {
  return Reflect.get(method, '__wrapped') === true;
}

/** Returns the method that other instrumentations have put their functions in front of. */
function originalOf(method: AnyMethod): AnyMethod {
  const { __original: original } = method as InstrumentedMethod;
  return isWrappedElsewhere(method) && typeof original === 'function' ? originalOf(original as AnyMethod) : method;
}

/** A call of `callBehindOthers()` that is pending. It is over when its result is settled, though its context may live on. */
interface PendingCall {
  isOver: boolean;
}

/** The way around the instrumentations of one method of a driver, while calls are pending. */
interface Bypass {
  /** The key under which the context of each pending call has that call. */
  readonly key: symbol;
  pendingCalls: number;
  readonly undo: () => void;
}

const bypasses = new WeakMap<object, Map<string, Bypass>>();

/**
 * Calls a function that calls a method of a driver. Other instrumentations of this method do not observe that call, nor the callbacks that it
 * passes on, since the library traces the same at an outer layer. They observe all other calls, also while this one is pending: the method is
 * called behind them only in the asynchronous context of `call`.
 */
export function callBehindOthers(driver: unknown, name: string, call: () => unknown): unknown {
  const bypass = isObject(driver) ? acquireBypass(driver, name) : undefined;
  if (!bypass) return call();
  const pending: PendingCall = { isOver: false };
  const end = () => {
    pending.isOver = true;
    releaseBypass(driver as object, name, bypass);
  };
  let result: unknown;
  try {
    result = callInContext(activeContext().setValue(bypass.key, pending), call, undefined, []);
  } catch (thrown) {
    end();
    throw thrown;
  }
  return afterwards(result, end, end);
}

/** Returns the way around the instrumentations of a method. Undefined if there are none, or if the method cannot be intercepted. */
function acquireBypass(driver: object, name: string): Bypass | undefined {
  const known = bypasses.get(driver)?.get(name);
  if (known) {
    known.pendingCalls++;
    return known;
  }
  const method: unknown = Reflect.get(driver, name);
  if (typeof method !== 'function' || !isWrappedElsewhere(method)) return undefined;
  const key = createContextKey(`nestjs-tracing call of ${name}() behind other instrumentations`);
  const undo = interceptMethod(driver, name, (instrumented, thisArg, args) => {
    const pending = activeContext().getValue(key) as PendingCall | undefined;
    return Reflect.apply(pending?.isOver === false ? originalOf(instrumented) : instrumented, thisArg, args);
  });
  if (!undo) return undefined;
  const bypass = { key, pendingCalls: 1, undo };
  const ofDriver = bypasses.get(driver) ?? new Map<string, Bypass>();
  bypasses.set(driver, ofDriver.set(name, bypass));
  return bypass;
}

function releaseBypass(driver: object, name: string, bypass: Bypass): void {
  if (--bypass.pendingCalls > 0) return;
  bypasses.get(driver)?.delete(name);
  bypass.undo();
}
