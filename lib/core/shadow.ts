/**
 * Gives one object a method of its own in front of the one it has, unseen by loops and copies. Returns how to undo that,
 * or undefined where the object does not take it: it is frozen, or a proxy that answers for itself.
 */
export function shadow(target: object, key: PropertyKey, method: unknown): (() => void) | undefined {
  try {
    const own = Object.getOwnPropertyDescriptor(target, key);
    const descriptor = { value: method, configurable: true, writable: true, enumerable: own?.enumerable ?? false };
    if (!Reflect.defineProperty(target, key, descriptor)) return undefined;
    const revert = () => {
      // Somebody else may have put a method in front of this one.
      if (Object.getOwnPropertyDescriptor(target, key)?.value !== method) return;
      if (own) Reflect.defineProperty(target, key, own);
      else Reflect.deleteProperty(target, key);
    };
    if (Reflect.get(target, key) === method) return revert;
    revert();
  } catch {
    // A trap of a proxy.
  }
  return undefined;
}
