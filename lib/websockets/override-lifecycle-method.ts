import { types } from 'node:util';
import type { MethodInterceptor } from '../core/intercept-method.js';
import { overrideOnInstance } from '../core/override-on-instance.js';
import type { AnyMethod } from '../core/wrap-method.js';

export interface LifecycleOverride {
  /** True once Nest has bound the method, so that it never reads the property again. */
  readonly isBound: boolean;
  undo(): void;
}

/**
 * Calls `interceptor` in place of a method with which a gateway handles connections. Undefined if it has no such method, or allows no change.
 *
 * Nest 12 binds the method when it reads the gateway, and a method that the application replaces later has no effect. Nest 11 reads it for
 * each connection. Both stay as they are.
 */
export function overrideLifecycleMethod(
  gateway: object,
  name: string,
  interceptor: MethodInterceptor,
): LifecycleOverride | undefined {
  if (types.isProxy(gateway)) return undefined;
  const method: unknown = Reflect.get(gateway, name);
  if (typeof method !== 'function' || overrides.has(method)) return undefined;
  const isOwn = Object.hasOwn(gateway, name);
  const current = () =>
    (isOwn ? method : Reflect.get(Object.getPrototypeOf(gateway) as object, name, gateway)) as AnyMethod;
  let isBound = false;
  const override = new Proxy(method as AnyMethod, {
    apply: (_method, thisArg, args) => interceptor(current(), thisArg, args),
    get(target, key, receiver) {
      if (key !== 'bind') return Reflect.get(target, key, receiver) as unknown;
      isBound = true;
      return (thisArg: unknown, ...first: unknown[]) =>
        (...rest: unknown[]) =>
          interceptor(target, thisArg, [...first, ...rest]);
    },
  });
  overrides.add(override);
  const undo = overrideOnInstance(gateway, name, override);
  return (
    undo && {
      undo,
      get isBound() {
        return isBound;
      },
    }
  );
}

/** The overriding methods, so that none is overridden twice. */
const overrides = new WeakSet<object>();
