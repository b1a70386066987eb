import { types } from 'node:util';

/** The limit of own properties that are read of an object. No class has more; a larger object is a table of data. */
const MAX_FIELDS = 1000;

/** True for an object whose properties can be read without calling code of the application: it is not a proxy. */
export function isReadable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !types.isProxy(value);
}

/** Returns a property of an object, inherited ones included. Getters are not called: they may have side effects. */
export function readWithoutGetter(instance: object, key: string): unknown {
  for (let owner: unknown = instance; isReadable(owner); owner = Object.getPrototypeOf(owner)) {
    const own = Object.getOwnPropertyDescriptor(owner, key);
    if (own) return own.value;
  }
  return undefined;
}

/**
 * True for an object that has these methods, own or inherited. By its methods, an object of an optional package is recognized. It calls
 * neither getters nor traps of proxies.
 */
export function hasMethods(candidate: unknown, ...names: readonly string[]): candidate is object {
  return isReadable(candidate) && names.every((name) => typeof readWithoutGetter(candidate, name) === 'function');
}

/**
 * Returns the values of the own properties of an object. Getters are not called, and arrays and tables of data are skipped, since they may
 * be large.
 */
export function ownValues(instance: unknown): unknown[] {
  if (!isReadable(instance) || Array.isArray(instance) || ArrayBuffer.isView(instance)) return [];
  const keys = Object.keys(instance);
  if (keys.length > MAX_FIELDS) return [];
  return keys.map((key) => Object.getOwnPropertyDescriptor(instance, key)?.value as unknown);
}
