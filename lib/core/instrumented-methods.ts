import { isObject } from './is-object.js';
import { isThenable } from './follow-promise.js';
import { overrideOnInstance } from './override-on-instance.js';
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

/**
 * Calls a function that calls a method of a driver. Other instrumentations of this method do not observe that call, nor the callbacks that it
 * passes on, since the library traces the same at an outer layer. They observe all other calls.
 */
export function callBehindOthers(driver: unknown, name: string, call: () => unknown): unknown {
  const undo = isObject(driver) && overrideByOriginal(driver, name);
  if (!undo) return call();
  let result: unknown;
  try {
    result = call();
  } catch (thrown) {
    undo();
    throw thrown;
  }
  if (isObject(result) && isThenable(result)) void result.then(undo, undo);
  else undo();
  return result;
}

function overrideByOriginal(driver: object, name: string): (() => void) | undefined {
  const method: unknown = Reflect.get(driver, name);
  if (typeof method !== 'function' || !isWrappedElsewhere(method)) return undefined;
  return overrideOnInstance(driver, name, originalOf(method as AnyMethod));
}
