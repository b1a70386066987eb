import { callSafely } from './diagnostics.js';
import { interceptMethod } from './intercept-method.js';

/** The members of Nest's `InstanceWrapper` that are used here. */
export interface Wrapper {
  readonly instance: unknown;
  readonly metatype: unknown;
  readonly subtype?: unknown;
  /** False if Nest creates an instance for each request or message. */
  isDependencyTreeStatic(): boolean;
}

/** @param isForRequest false if Nest reads the instance for no request or message, but at the start, or because the application asks for it */
type Listener = (instance: unknown, isForRequest: boolean) => void;

/** The id of the context of what lives as long as the application. */
const STATIC_CONTEXT_ID = 1;

/** A wrapper that is watched. Several integrations may watch the same one. */
interface Watched {
  readonly listeners: Set<Listener>;
  readonly undo: () => void;
}

const watchedWrappers = new WeakMap<object, Watched>();

/**
 * Calls a function with each instance that Nest reads from a wrapper: the one of the application, and those of requests. Nest reads it
 * before it calls the instance, and `instance` goes the same way.
 *
 * @returns a function that ends this; undefined if the wrapper cannot be watched
 */
export function watchWrapper(wrapper: Wrapper, onInstance: Listener): (() => void) | undefined {
  const watched = watchedWrappers.get(wrapper) ?? watch(wrapper);
  if (!watched) return undefined;
  const { listeners, undo } = watched;
  // The same function may watch several times.
  const listener: Listener = (instance, isForRequest) => onInstance(instance, isForRequest);
  listeners.add(listener);
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    watchedWrappers.delete(wrapper);
    undo();
  };
}

function watch(wrapper: Wrapper): Watched | undefined {
  const listeners = new Set<Listener>();
  const undo = interceptMethod(wrapper, 'getInstanceByContextId', (method, thisArg, args) => {
    const host = Reflect.apply(method, thisArg, args) as { readonly instance?: unknown } | undefined;
    const isForRequest = (args[0] as { readonly id?: unknown } | undefined)?.id !== STATIC_CONTEXT_ID;
    for (const listener of listeners)
      callSafely('Looking at an instance', () => listener(host?.instance, isForRequest));
    return host;
  });
  const watched = undo && { listeners, undo };
  if (watched) watchedWrappers.set(wrapper, watched);
  return watched;
}
