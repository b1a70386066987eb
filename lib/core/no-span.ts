import 'reflect-metadata';

// A text, not a symbol of this module: two copies of the library in one process must understand each other.
const NO_SPAN = 'nestjs-tracing:no-span';

/** Marks a method (its function) or a class that is kept out of every trace. */
export function markNoSpan(target: object): void {
  Reflect.defineMetadata(NO_SPAN, true, target);
}

/** Whether a method or a class is kept out of every trace. */
export function isNoSpan(target: object): boolean {
  return Reflect.hasMetadata(NO_SPAN, target);
}
