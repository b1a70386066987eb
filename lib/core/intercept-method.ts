import { types } from 'node:util';
import type { AnyMethod } from './wrap-method.js';

/** What is done in place of a call of a method. */
export type Around = (method: AnyMethod, thisArg: unknown, args: unknown[]) => unknown;

/** The methods that are intercepted, by the object that has them. */
const intercepted = new WeakMap<object, Set<string>>();

/**
 * Has `around` called whenever one method of one object is called. Returns false where the object does not take it: it is
 * frozen, a proxy, or has no such method.
 *
 * The object looks as before. The method is looked up at each access, as without tracing: one that is inherited may be
 * replaced on the prototype, one that is assigned later counts, and what is read has the properties of the method itself,
 * so that a mock stays a mock.
 */
export function interceptMethod(target: object, name: string, around: Around): boolean {
  if (types.isProxy(target)) return false;
  const known = intercepted.get(target);
  if (known?.has(name)) return true;
  const own = Object.getOwnPropertyDescriptor(target, name);
  if (own && (!own.configurable || !('value' in own))) return false;
  let assigned = own?.value as unknown;
  let hasOwn = own !== undefined;
  const current = (): unknown =>
    hasOwn ? assigned : Reflect.get(Object.getPrototypeOf(target) as object, name, target);
  if (typeof current() !== 'function') return false;

  const proxies = new WeakMap<object, AnyMethod>();
  const methods = new WeakMap<object, AnyMethod>();
  const defined = Reflect.defineProperty(target, name, {
    configurable: true,
    enumerable: own?.enumerable ?? false,
    get() {
      const method = current();
      if (typeof method !== 'function') return method;
      let proxy = proxies.get(method);
      if (!proxy) {
        proxy = new Proxy(method as AnyMethod, { apply: around });
        proxies.set(method, proxy);
        methods.set(proxy, method as AnyMethod);
      }
      return proxy;
    },
    set(value: unknown) {
      // What was read here may be put back, after a mock say.
      assigned = (typeof value === 'function' && methods.get(value)) || value;
      hasOwn = true;
    },
  });
  if (defined) intercepted.set(target, (known ?? new Set()).add(name));
  return defined;
}
