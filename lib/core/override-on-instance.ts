/**
 * Overrides a method on one object by an own property, which is not enumerable unless the method is an own property already. Returns a
 * function that undoes this. Undefined if the object does not allow it: it is frozen, or a proxy that ignores the definition.
 */
export function overrideOnInstance(target: object, key: PropertyKey, method: unknown): (() => void) | undefined {
  try {
    const own = Object.getOwnPropertyDescriptor(target, key);
    const descriptor = { value: method, configurable: true, writable: true, enumerable: own?.enumerable ?? false };
    if (!Reflect.defineProperty(target, key, descriptor)) return undefined;
    const undo = () => {
      // The application may have overridden the method again.
      if (Object.getOwnPropertyDescriptor(target, key)?.value !== method) return;
      if (own) Reflect.defineProperty(target, key, own);
      else Reflect.deleteProperty(target, key);
    };
    if (Reflect.get(target, key) === method) return undo;
    undo();
  } catch {
    // A trap of a proxy threw.
  }
  return undefined;
}
