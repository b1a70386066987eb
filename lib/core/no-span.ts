import 'reflect-metadata';

// The key is a string rather than a symbol of this module, so that two copies of the library in one process share it.
const NO_SPAN_METADATA = 'nestjs-tracing:no-span';

/** Marks a method (its function) or a class that is never traced. */
export function markNoSpan(target: object): void {
  Reflect.defineMetadata(NO_SPAN_METADATA, true, target);
}

/** True if a method or a class is never traced. */
export function isNoSpan(target: object): boolean {
  return Reflect.hasMetadata(NO_SPAN_METADATA, target);
}
