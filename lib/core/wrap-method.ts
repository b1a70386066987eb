import 'reflect-metadata';

export type AnyMethod = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Makes `wrapper` pass for `method`: same name and length, own properties and metadata. Nest finds routes, guards,
 * message patterns and the like by metadata on the function, and decorators may stand in any order.
 */
export function disguise(wrapper: AnyMethod, method: AnyMethod): AnyMethod {
  for (const key of Reflect.ownKeys(method)) {
    const own = Object.getOwnPropertyDescriptor(wrapper, key);
    const descriptor = Object.getOwnPropertyDescriptor(method, key);
    if (descriptor && (!own || own.configurable)) Object.defineProperty(wrapper, key, descriptor);
  }
  for (const key of Reflect.getOwnMetadataKeys(method) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, method), wrapper);
  }
  return wrapper;
}

/** Called by the language or by `JSON.stringify`, not by the application. */
const NOT_BUSINESS = new Set<string | symbol>(['constructor', 'then', 'toJSON', 'toString', 'valueOf']);

/** Replaces the methods of a class by what `wrap` makes of them. Accessors, inherited and static methods are left alone. */
export function wrapMethods(
  constructor: object,
  wrap: (target: object, key: string, method: AnyMethod) => AnyMethod,
): void {
  const { prototype } = constructor as { prototype: object };
  for (const key of Reflect.ownKeys(prototype)) {
    if (typeof key === 'symbol' || NOT_BUSINESS.has(key)) continue;
    const descriptor = Object.getOwnPropertyDescriptor(prototype, key);
    const method: unknown = descriptor?.value;
    if (!descriptor?.configurable || typeof method !== 'function') continue;
    Object.defineProperty(prototype, key, { ...descriptor, value: wrap(prototype, key, method as AnyMethod) });
  }
}

/** `Class.method`, for a static method as well. */
export function qualifiedName(target: object, key: string | symbol): string {
  const owner = typeof target === 'function' ? target.name : target.constructor.name;
  return typeof key === 'symbol' ? `${owner}[${key.description ?? ''}]` : `${owner}.${key}`;
}

/** The method a decorator stands on. Throws a TypeError where it stands on something else. */
export function methodOf(
  decorator: string,
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<never> | PropertyDescriptor | undefined,
): AnyMethod {
  const method: unknown = descriptor?.value;
  if (typeof method === 'function') return method as AnyMethod;
  const isAccessor = descriptor?.get !== undefined || descriptor?.set !== undefined;
  const found = isAccessor ? 'an accessor' : 'a property, perhaps an arrow function';
  throw new TypeError(
    `${decorator} stands on ${qualifiedName(target, key)}, which is ${found}. It works on methods only: write ${String(key)}() { … }.`,
  );
}
