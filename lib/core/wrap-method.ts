import 'reflect-metadata';
import { className } from './class-name.js';
import { refuseStandardDecorator } from './decorator-calls.js';
import { isObject } from './is-object.js';

export type AnyMethod = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Copies the name, the length, the own properties and the metadata of `method` to `wrapper`. Nest finds routes, guards and message patterns
 * by metadata on the function, and decorators may be applied in any order.
 */
export function copyMethodIdentity(wrapper: AnyMethod, method: AnyMethod): AnyMethod {
  for (const key of Reflect.ownKeys(method)) {
    const own = Object.getOwnPropertyDescriptor(wrapper, key);
    const descriptor = Object.getOwnPropertyDescriptor(method, key);
    if (descriptor && (!own || own.configurable)) Object.defineProperty(wrapper, key, descriptor);
  }
  copyMetadata(wrapper, method);
  return wrapper;
}

/** Copies the metadata of `method` to `wrapper`. */
export function copyMetadata(wrapper: object, method: object): void {
  for (const key of Reflect.getOwnMetadataKeys(method) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, method), wrapper);
  }
}

/** The methods that are not wrapped, because the language or `JSON.stringify` calls them rather than the application. */
const EXCLUDED_METHODS = new Set<string | symbol>(['constructor', 'then', 'toJSON', 'toString', 'valueOf']);

/** Replaces each method of a class by the function that `wrap` returns for it. Accessors, inherited and static methods stay as they are. */
export function wrapMethods(
  constructor: object,
  wrap: (target: object, key: string, method: AnyMethod) => AnyMethod,
): void {
  const { prototype } = constructor as { prototype: object };
  for (const key of Reflect.ownKeys(prototype)) {
    if (typeof key === 'symbol' || EXCLUDED_METHODS.has(key)) continue;
    const descriptor = Object.getOwnPropertyDescriptor(prototype, key);
    const method: unknown = descriptor?.value;
    if (!descriptor?.configurable || typeof method !== 'function') continue;
    Object.defineProperty(prototype, key, { ...descriptor, value: wrap(prototype, key, method as AnyMethod) });
  }
}

/** Returns `Class.method`, also for a static method. */
export function qualifiedName(target: object, key: string | symbol): string {
  const owner = className(typeof target === 'function' ? target : target.constructor);
  return typeof key === 'symbol' ? `${owner}[${key.description ?? ''}]` : `${owner}.${key}`;
}

/** Returns `Class.method` with the class that declares a method of the instances of `type`. Undefined if they do not have it from a class. */
export function declaredName(type: object, key: string): string | undefined {
  const { prototype } = type as { prototype?: unknown };
  for (let link = prototype; isObject(link); link = Object.getPrototypeOf(link) as unknown) {
    if (Object.hasOwn(link, key)) return qualifiedName(link, key);
  }
  return undefined;
}

/**
 * Returns the method that a decorator is applied to. Throws a TypeError if it is applied to something else.
 *
 * @param classFix what to do if it is applied to a class
 */
export function decoratedMethod(
  decorator: string,
  target: object,
  key: string | symbol | undefined,
  descriptor: TypedPropertyDescriptor<never> | PropertyDescriptor | undefined,
  classFix = 'write it on each method',
): AnyMethod {
  refuseStandardDecorator(decorator, key);
  if (key === undefined) {
    const { name } = target as { name?: string };
    throw new TypeError(`${decorator} stands on the class ${name}. It works on methods only: ${classFix}.`);
  }
  const method: unknown = descriptor?.value;
  if (typeof method === 'function') return method as AnyMethod;
  const isAccessor = descriptor?.get !== undefined || descriptor?.set !== undefined;
  const found = isAccessor ? 'an accessor' : 'a property, perhaps an arrow function';
  throw new TypeError(
    `${decorator} stands on ${qualifiedName(target, key)}, which is ${found}. It works on methods only: write ${String(key)}() { … }.`,
  );
}
