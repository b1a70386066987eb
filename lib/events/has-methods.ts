import { types } from 'node:util';

/** True for an object whose class has these methods. It calls neither getters nor traps of proxies. */
export function hasMethods(candidate: object, ...names: readonly string[]): boolean {
  if (types.isProxy(candidate)) return false;
  return names.every((name) => typeof inheritedValue(candidate, name) === 'function');
}

function inheritedValue(candidate: object, name: string): unknown {
  for (let link: object | null = candidate; link; link = Object.getPrototypeOf(link) as object | null) {
    if (types.isProxy(link)) return undefined;
    const descriptor = Object.getOwnPropertyDescriptor(link, name);
    if (descriptor) return descriptor.value;
  }
  return undefined;
}
