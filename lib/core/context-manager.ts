import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { ROOT_CONTEXT, type Context, type ContextManager } from '@opentelemetry/api';

/** Holds the active context of every asynchronous chain of calls. */
export const contextStorage = new AsyncLocalStorage<Context>();

/**
 * The context manager of OpenTelemetry, over one AsyncLocalStorage of our own.
 *
 * It is ours rather than the SDK's because a diagnostics channel can be bound to a storage only by who owns it,
 * and because it works before the SDK is loaded.
 */
export const contextManager: ContextManager = {
  active: () => contextStorage.getStore() ?? ROOT_CONTEXT,

  with: (context, fn, thisArg, ...args) =>
    contextStorage.run(context, thisArg === undefined ? fn : fn.bind(thisArg), ...args),

  bind(context, target) {
    if (target instanceof EventEmitter) return bindEmitter(context, target);
    if (typeof target === 'function') return bindFunction(context, target as unknown as AnyFunction) as typeof target;
    return target;
  },

  enable: () => contextManager,

  // Contexts that are in flight stay readable: there is nothing to free, and another manager takes over by itself.
  disable: () => contextManager,
};

type AnyFunction = (...args: unknown[]) => unknown;

function bindFunction(context: Context, target: AnyFunction): AnyFunction {
  function bound(this: unknown, ...args: unknown[]): unknown {
    return contextStorage.run(context, () => Reflect.apply(target, this, args));
  }
  return Object.defineProperty(bound, 'length', { value: target.length, configurable: true });
}

function bindEmitter<T extends EventEmitter>(context: Context, emitter: T): T {
  const emit = emitter.emit;
  emitter.emit = function (this: T, ...args: Parameters<EventEmitter['emit']>): boolean {
    return contextStorage.run(context, () => Reflect.apply(emit, this, args));
  };
  return emitter;
}
