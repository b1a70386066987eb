import type { AnyMethod } from '../core/wrap-method.js';

/** Returns a proxy of a resolver, so that its properties stay. */
export function replaceResolver(
  resolver: AnyMethod,
  call: (thisArg: unknown, args: readonly unknown[]) => unknown,
): AnyMethod {
  return new Proxy(resolver, { apply: (_resolver, thisArg, args) => call(thisArg, args) });
}
