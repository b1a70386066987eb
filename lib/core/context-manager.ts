import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { context as contextApi, ROOT_CONTEXT, type Context, type ContextManager } from '@opentelemetry/api';
import type { AnyMethod } from './wrap-method.js';

/** Holds the active context of each chain of asynchronous calls. */
export const contextStorage = new AsyncLocalStorage<Context>();

/** True while the context manager of this module is the one that is registered with OpenTelemetry's API. */
let isRegistered = false;

/**
 * A context manager of OpenTelemetry over one AsyncLocalStorage.
 *
 * The library has its own instead of the SDK's, because a diagnostics channel can be bound to a storage only by the owner of the storage,
 * and because it works before the SDK is loaded.
 */
export const contextManager: ContextManager = {
  active: () => contextStorage.getStore() ?? ROOT_CONTEXT,

  with: (context, fn, thisArg, ...args) =>
    contextStorage.run(context, thisArg === undefined ? fn : fn.bind(thisArg), ...args),

  bind(context, target) {
    if (target instanceof EventEmitter) return bindEmitter(context, target);
    if (typeof target === 'function') return bindFunction(context, target as unknown as AnyMethod) as typeof target;
    return target;
  },

  enable: () => contextManager,

  // The contexts of work in progress stay readable: there is nothing to free, and the API switches to another manager by itself.
  disable() {
    isRegistered = false;
    return contextManager;
  },
};

/** Registers the context manager with OpenTelemetry's API. Returns false if another one is registered already. */
export function registerOwnContextManager(): boolean {
  isRegistered = contextApi.setGlobalContextManager(contextManager);
  return isRegistered;
}

/** True if `enterContext()` may be used: the API reads the active context from this module. */
export function ownsActiveContext(): boolean {
  return isRegistered;
}

/** Returns the active context. It is `context.active()` without the detour by the API. */
export function activeContext(): Context {
  return isRegistered ? (contextStorage.getStore() ?? ROOT_CONTEXT) : contextApi.active();
}

/**
 * Makes a context the active one until `leaveContext()` is called, which must happen before the caller returns. Returns the argument for
 * `leaveContext()`.
 *
 * It has the effect of `context.with()` without function calls around the application's function: each of them would take one of the ten
 * frames that V8 keeps of a stack, and room on the stack that the application needs for its recursions.
 */
export function enterContext(context: Context): Context | undefined {
  const previous = contextStorage.getStore();
  contextStorage.enterWith(context);
  return previous;
}

/** Makes the context active again that `enterContext()` has returned. */
export function leaveContext(previous: Context | undefined): void {
  contextStorage.enterWith(previous as Context);
}

/** Calls a function with `this` and arguments in a context. */
export function callInContext(context: Context, fn: AnyMethod, thisArg: unknown, args: readonly unknown[]): unknown {
  if (!isRegistered) return contextApi.with(context, Reflect.apply, undefined, fn, thisArg, args);
  // To enter a context and to leave it again takes an object each.
  if (activeContext() === context) return Reflect.apply(fn, thisArg, args);
  const previous = enterContext(context);
  try {
    return Reflect.apply(fn, thisArg, args);
  } finally {
    leaveContext(previous);
  }
}

function bindFunction(context: Context, target: AnyMethod): AnyMethod {
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
