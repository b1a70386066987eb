import { types } from 'node:util';
import { interceptMethod, type MethodInterceptor } from '../core/intercept-method.js';
import { copyMetadata, type AnyMethod } from '../core/wrap-method.js';

/**
 * Calls `interceptor` in place of a method that Nest reads once and binds, until the returned function is called. Returns undefined if that
 * is not possible.
 *
 * Nest calls the method that the object had when it was bound, whatever the class has later. So an inherited method becomes an own accessor,
 * which returns a proxy of the method that is inherited now.
 */
export function interceptBoundMethod(
  target: object,
  name: string,
  interceptor: MethodInterceptor,
): (() => void) | undefined {
  if (Object.hasOwn(target, name)) return interceptMethod(target, name, interceptor);
  if (types.isProxy(target) || !Object.isExtensible(target)) return undefined;
  const proxies = new WeakMap<object, AnyMethod>();

  function get(this: unknown): unknown {
    const method: unknown = Reflect.get(Object.getPrototypeOf(target) as object, name, target);
    if (typeof method !== 'function') return method;
    const proxy = proxies.get(method) ?? proxyOf(method as AnyMethod, interceptor);
    proxies.set(method, proxy);
    return proxy;
  }

  /** The application may assign another method, which then is an own property as without tracing. */
  function set(this: object, value: unknown): void {
    Object.defineProperty(this, name, { value, configurable: true, enumerable: true, writable: true });
  }

  if (!Reflect.defineProperty(target, name, { get, set, configurable: true, enumerable: false })) return undefined;
  return () => {
    if (Object.getOwnPropertyDescriptor(target, name)?.get === get) Reflect.deleteProperty(target, name);
  };
}

function proxyOf(method: AnyMethod, interceptor: MethodInterceptor): AnyMethod {
  const proxy = new Proxy(method, { apply: (target, thisArg, args) => interceptor(target, thisArg, args) });
  copyMetadata(proxy, method);
  return proxy;
}
