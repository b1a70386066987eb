import { types } from 'node:util';
import { overrideOnInstance } from './override-on-instance.js';
import { copyMetadata, type AnyMethod } from './wrap-method.js';

/** A function that is called in place of a method. */
export type MethodInterceptor = (method: AnyMethod, thisArg: unknown, args: unknown[]) => unknown;

/** The proxies that intercept methods, so that no method is intercepted twice. */
const interceptors = new WeakSet<object>();

/**
 * Calls `interceptor` in place of a method of one object, until the returned function is called. Returns undefined if that is not possible:
 * the object is frozen, is a proxy, or has no such method.
 *
 * The object gets an own property with a proxy of the method, so that a mock is still a mock, and the method can still be mocked. An
 * inherited method is looked up at each call, since the application may replace it on the prototype.
 */
export function interceptMethod(
  target: object,
  name: string,
  interceptor: MethodInterceptor,
): (() => void) | undefined {
  if (types.isProxy(target)) return undefined;
  const method: unknown = Reflect.get(target, name);
  if (typeof method !== 'function' || interceptors.has(method)) return undefined;
  const isOwn = Object.hasOwn(target, name);
  const current = () =>
    (isOwn ? method : Reflect.get(Object.getPrototypeOf(target) as object, name, target)) as AnyMethod;
  const proxy = new Proxy(method as AnyMethod, {
    apply: (_method, thisArg, args) => interceptor(current(), thisArg, args),
  });
  interceptors.add(proxy);
  // The metadata of a method is kept by its identity: the filters of `@UseFilters()`, say.
  copyMetadata(proxy, method);
  return overrideOnInstance(target, name, proxy);
}

/** Returns a function that undoes several interceptions. Undefined if none of them was possible. */
export function combineUndos(undos: readonly ((() => void) | undefined)[]): (() => void) | undefined {
  if (undos.every((undo) => undo === undefined)) return undefined;
  return () => {
    for (const undo of undos) undo?.();
  };
}
