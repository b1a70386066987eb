import { callSafely } from './diagnostics.js';
import { interceptMethod } from './intercept-method.js';

/** The members of Nest's `InstanceWrapper` that are used here. */
export interface Wrapper {
  readonly instance: unknown;
  readonly metatype: unknown;
  readonly subtype?: unknown;
}

/**
 * Calls a function with each instance that Nest reads from a wrapper: the one of the application, and those of requests. Nest reads it
 * before it calls the instance, and `instance` goes the same way.
 *
 * @returns a function that ends this; undefined if the wrapper is watched already
 */
export function watchWrapper(wrapper: Wrapper, onInstance: (instance: unknown) => void): (() => void) | undefined {
  return interceptMethod(wrapper, 'getInstanceByContextId', (method, thisArg, args) => {
    const host = Reflect.apply(method, thisArg, args) as { readonly instance?: unknown } | undefined;
    callSafely('Looking at an instance', () => onInstance(host?.instance));
    return host;
  });
}
