import { types } from 'node:util';
import { shadow } from './shadow.js';
import type { AnyMethod } from './wrap-method.js';

/** A function that is called in place of a method. */
export type Around = (method: AnyMethod, thisArg: unknown, args: unknown[]) => unknown;

/** What stands in front of methods, so that none is intercepted twice. */
const intercepting = new WeakSet<object>();

/**
 * Has `around` called whenever one method of one object is called, until the function is called that it returns. Returns
 * undefined where the object does not take it: it is frozen, a proxy, or has no such method.
 *
 * The object gets a property of its own, a proxy of the method, so that it can be mocked, and a mock stays one. A method that is inherited
 * is looked up at each call: it may be replaced on the prototype.
 */
export function interceptMethod(target: object, name: string, around: Around): (() => void) | undefined {
  if (types.isProxy(target)) return undefined;
  const method: unknown = Reflect.get(target, name);
  if (typeof method !== 'function' || intercepting.has(method)) return undefined;
  const isOwn = Object.hasOwn(target, name);
  const current = () =>
    (isOwn ? method : Reflect.get(Object.getPrototypeOf(target) as object, name, target)) as AnyMethod;
  const interceptor = new Proxy(method as AnyMethod, {
    apply: (_method, thisArg, args) => around(current(), thisArg, args),
  });
  intercepting.add(interceptor);
  return shadow(target, name, interceptor);
}
