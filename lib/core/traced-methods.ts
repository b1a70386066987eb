import 'reflect-metadata';

// The key is a text and not a symbol, so that two copies of the library in one process share it.
const TRACED = 'nestjs-tracing:traced';

/** Marks the function of a method as traced: each call already makes a span. */
export function markTraced(method: object): void {
  Reflect.defineMetadata(TRACED, true, method);
}

/** True if each call of a method already makes a span. */
export function isTraced(method: object): boolean {
  return Reflect.hasOwnMetadata(TRACED, method);
}
