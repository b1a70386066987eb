import 'reflect-metadata';

// A text, not a symbol of this module: two copies of the library in one process must understand each other.
const TRACED = 'nestjs-tracing:traced';

/** Marks a method (its function) that makes a span of each call. */
export function markTraced(method: object): void {
  Reflect.defineMetadata(TRACED, true, method);
}

/** Whether a method makes a span of each call. */
export function isTraced(method: object): boolean {
  return Reflect.hasOwnMetadata(TRACED, method);
}
