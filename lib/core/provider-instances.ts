import type { ModulesContainer } from '@nestjs/core';
import { types } from 'node:util';
import { callSafely } from './diagnostics.js';
import { interceptMethod } from './intercept-method.js';
import { isObject } from './is-object.js';
import { watchWrapper } from './watch-wrapper.js';

/** The members of Nest's `InstanceWrapper` that are used here. */
interface Wrapper {
  readonly instance: unknown;
  /** The dependencies of a factory. Undefined for a class and for a value. */
  readonly inject?: unknown;
  /** The class or the factory. Null for a value. */
  readonly metatype: unknown;
  isDependencyTreeStatic(): boolean;
  getStaticTransientInstances?(): readonly ({ readonly instance: unknown } | undefined)[];
}

export interface ProviderWatch {
  /** Finds instances that were created or replaced since the last scan. */
  scan(): void;
  stop(): void;
}

export interface ProviderWatchOptions {
  /** Called for each instance that lives as long as the application, possibly more than once. */
  readonly onInstance: (instance: unknown) => void;
  /** Called for each instance that a factory has created for one request. */
  readonly onRequestInstance: (instance: unknown) => void;
  /** True if the factory of a provider that is created for each request is observed. @default all factories */
  readonly watchesFactory?: (token: unknown) => boolean;
}

/**
 * Finds the instances of all providers and controllers of an application, also in modules that are loaded later, and those that a factory creates for each
 * request.
 */
export function watchProviders(modules: ModulesContainer, options: ProviderWatchOptions): ProviderWatch {
  const { onInstance, onRequestInstance, watchesFactory = () => true } = options;
  const undos = new Map<object, () => void>();
  let isStopped = false;

  function scan(): void {
    if (isStopped) return;
    for (const { controllers, providers } of modules.values()) {
      for (const [token, wrapper] of [...providers, ...controllers] as unknown as Iterable<[unknown, Wrapper]>) {
        if (!wrapper.isDependencyTreeStatic()) {
          if (wrapper.inject && !undos.has(wrapper) && watchesFactory(token)) watchFactory(wrapper);
          continue;
        }
        onInstance(wrapper.instance);
        // Nest creates one instance for each place that a transient provider is injected into.
        for (const transient of wrapper.getStaticTransientInstances?.() ?? []) onInstance(transient?.instance);
      }
    }
  }

  // Nest calls this function for the instance of one request, and stores the instance nowhere else.
  function watchFactory(wrapper: object): void {
    undos.set(wrapper, listenToResults(wrapper, 'metatype', onRequestInstance));
  }

  const loader = findLoader(modules);
  if (loader) undos.set(loader, listenToResults(loader, 'load', scan));
  scan();
  return {
    scan,
    stop() {
      isStopped = true;
      for (const undo of undos.values()) undo();
      undos.clear();
    },
  };
}

/**
 * Finds the values, and the results of factories, while Nest creates the providers: as soon as one is injected, before the constructor runs
 * that gets it. An instance of a class is found by `watchProviders()` only: until its constructor has run, Nest has an object without fields.
 *
 * @returns a function that ends it, to be called when Nest has created every provider
 */
export function watchInjections(modules: ModulesContainer, onInstance: (instance: unknown) => void): () => void {
  const undos: (() => void)[] = [];
  for (const { providers } of modules.values()) {
    for (const wrapper of providers.values() as unknown as Iterable<Wrapper>) {
      if (!wrapper.inject && wrapper.metatype !== null) continue;
      // Until the factory has returned, there is no instance.
      const undo = watchWrapper(wrapper, (instance) => {
        if (isObject(instance)) onInstance(instance);
      });
      if (undo) undos.push(undo);
    }
  }
  return () => {
    for (const undo of undos) undo();
  };
}

type Listener = (result: unknown) => void;

/** The listeners of each method: several integrations, and several applications, may listen to the same one. */
const listenersOf = new WeakMap<object, Set<Listener>>();

/** Calls a listener with each result of a method, until the returned function is called. */
function listenToResults(target: object, method: string, listener: Listener): () => void {
  let listeners = listenersOf.get(target);
  if (!listeners) {
    const added = new Set<Listener>();
    listeners = added;
    listenersOf.set(target, added);
    interceptMethod(target, method, (original, thisArg, args) => {
      const result: unknown = Reflect.apply(original, thisArg, args);
      useWhenSettled(result, (settled) => {
        for (const each of added) callSafely('Looking for providers', () => each(settled));
      });
      return result;
    });
  }
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Calls `use` with a value, or with the result of a promise, before other code that awaits the promise gets it. */
function useWhenSettled(value: unknown, use: (settled: unknown) => void): void {
  if (types.isPromise(value)) void value.then(use, () => {});
  else use(value);
}

/** Returns Nest's `LazyModuleLoader`, which is a provider of a module of Nest's own. */
function findLoader(modules: ModulesContainer): object | undefined {
  for (const { providers } of modules.values()) {
    for (const [token, { instance }] of providers as unknown as Iterable<[unknown, Wrapper]>) {
      if (typeof token !== 'function' || token.name !== 'LazyModuleLoader') continue;
      if (isObject(instance) && 'load' in instance) return instance;
    }
  }
  return undefined;
}
