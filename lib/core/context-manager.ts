import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { context as contextApi, ROOT_CONTEXT, type Context, type ContextManager } from '@opentelemetry/api';
import type { AnyMethod } from './wrap-method.js';

/** Holds the active context of every asynchronous chain of calls. */
export const contextStorage = new AsyncLocalStorage<Context>();

/** True while OpenTelemetry's API asks the context manager of this module, rather than one that was there before. */
let isRegistered = false;

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
    if (typeof target === 'function') return bindFunction(context, target as unknown as AnyMethod) as typeof target;
    return target;
  },

  enable: () => contextManager,

  // Contexts that are in flight stay readable: there is nothing to free, and another manager takes over by itself.
  disable() {
    isRegistered = false;
    return contextManager;
  },
};

/** Registers the context manager with OpenTelemetry's API. Returns false where another one holds the place. */
export function registerOwnContextManager(): boolean {
  isRegistered = contextApi.setGlobalContextManager(contextManager);
  return isRegistered;
}

/** True where `enterContext()` may be used: the API asks this module for the active context. */
export function ownsActiveContext(): boolean {
  return isRegistered;
}

/**
 * Makes a context the active one until `leaveContext()` is called, which must happen before the caller returns. Returns what
 * `leaveContext()` takes.
 *
 * It does what `context.with()` does, with no calls in between: each of them takes a place among the ten frames that V8 keeps
 * of a stack, and room on a stack that the application needs for its recursions.
 */
export function enterContext(context: Context): Context | undefined {
  const previous = contextStorage.getStore();
  contextStorage.enterWith(context);
  return previous;
}

export function leaveContext(previous: Context | undefined): void {
  contextStorage.enterWith(previous as Context);
}

/** Calls a function in a context, with `this` and arguments. */
export function callIn(context: Context, fn: AnyMethod, thisArg: unknown, args: readonly unknown[]): unknown {
  if (!isRegistered) return contextApi.with(context, Reflect.apply, undefined, fn, thisArg, args);
  if (contextStorage.getStore() === context) return Reflect.apply(fn, thisArg, args);
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
