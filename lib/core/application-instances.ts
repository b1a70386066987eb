import type { ModulesContainer } from '@nestjs/core';
import { isObject } from './is-object.js';

/** The objects and the classes in the dependency injection of an application. */
export interface Instances {
  /** True for an object that dependency injection has created, or that was registered with it. */
  has(target: unknown): boolean;
  /** True for an instance of a class that is a provider or a controller, and for such a class itself. */
  hasClassOf(target: unknown): boolean;
}

/**
 * Finds out whether an object belongs to an application. It holds only weak references to the modules and the objects of the
 * application. The modules are scanned when the question comes up, which it does only if the process has a second application.
 */
export class ApplicationInstances implements Instances {
  readonly #modules: WeakRef<ModulesContainer>;
  readonly #objects = new WeakSet<object>();
  readonly #classes = new WeakSet<object>();
  /** The number of modules at the last scan; 0 if a new scan is needed. */
  #scannedModules = 0;

  constructor(modules: ModulesContainer) {
    this.#modules = new WeakRef(modules);
  }

  /** Requests a new scan, because dependency injection has created objects. Modules that are loaded lazily are found without it. */
  invalidate(): void {
    this.#scannedModules = 0;
  }

  has(target: unknown): boolean {
    if (!isObject(target)) return false;
    if (this.#objects.has(target)) return true;
    return this.#scan() && this.#objects.has(target);
  }

  hasClassOf(target: unknown): boolean {
    if (!isObject(target)) return false;
    this.#scan();
    const start = (typeof target === 'function' ? target : Object.getPrototypeOf(target)) as object | null;
    for (let link = start; link; link = Object.getPrototypeOf(link) as object | null) {
      const type: unknown = typeof link === 'function' ? link : (link as { constructor?: unknown }).constructor;
      if (isObject(type) && this.#classes.has(type)) return true;
    }
    return false;
  }

  /** Scans the modules. Returns false if they have been scanned before. */
  #scan(): boolean {
    const modules = this.#modules.deref();
    if (!modules || modules.size === this.#scannedModules) return false;
    this.#scannedModules = modules.size;
    for (const { controllers, injectables, middlewares, providers } of modules.values()) {
      for (const collection of [controllers, injectables, middlewares, providers]) {
        for (const wrapper of collection.values()) this.#add(wrapper);
      }
    }
    return true;
  }

  #add(wrapper: Wrapper): void {
    if (isObject(wrapper.metatype)) this.#classes.add(wrapper.metatype);
    if (isObject(wrapper.instance)) this.#objects.add(wrapper.instance);
    // Nest creates one instance for each place that a transient provider is injected into.
    for (const transient of wrapper.getStaticTransientInstances?.() ?? []) {
      if (isObject(transient?.instance)) this.#objects.add(transient.instance);
    }
  }
}

/** The members of Nest's `InstanceWrapper` that are read here. */
interface Wrapper {
  readonly metatype: unknown;
  readonly instance: unknown;
  getStaticTransientInstances?(): readonly ({ readonly instance: unknown } | undefined)[];
}
