import type { ModulesContainer } from '@nestjs/core';
import { isObject } from './is-object.js';

/** The objects and classes that dependency injection of an application has. */
export interface Instances {
  /** True for an object that dependency injection made, or was given. */
  has(target: unknown): boolean;
  /** True for an object of a class that is a provider or a controller, and for such a class itself. */
  hasClassOf(target: unknown): boolean;
}

/**
 * Finds out whether an object belongs to an application. Nothing of the application is held: neither its modules nor its
 * objects. They are looked through only when there is a question, which needs a second application.
 */
export class ApplicationInstances implements Instances {
  readonly #modules: WeakRef<ModulesContainer>;
  readonly #objects = new WeakSet<object>();
  readonly #classes = new WeakSet<object>();
  /** How many modules there were when they were last looked through. */
  #modulesSeen = 0;

  constructor(modules: ModulesContainer) {
    this.#modules = new WeakRef(modules);
  }

  /** Dependency injection has made further objects. Modules that are loaded lazily are noticed without it. */
  changed(): void {
    this.#modulesSeen = 0;
  }

  has(target: unknown): boolean {
    if (!isObject(target)) return false;
    if (this.#objects.has(target)) return true;
    return this.#update() && this.#objects.has(target);
  }

  hasClassOf(target: unknown): boolean {
    if (!isObject(target)) return false;
    this.#update();
    const start = (typeof target === 'function' ? target : Object.getPrototypeOf(target)) as object | null;
    for (let link = start; link; link = Object.getPrototypeOf(link) as object | null) {
      const type: unknown = typeof link === 'function' ? link : (link as { constructor?: unknown }).constructor;
      if (isObject(type) && this.#classes.has(type)) return true;
    }
    return false;
  }

  /** Returns false where there is nothing that has not been looked at. */
  #update(): boolean {
    const modules = this.#modules.deref();
    if (!modules || modules.size === this.#modulesSeen) return false;
    this.#modulesSeen = modules.size;
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
    // One for each place that a transient provider is injected into.
    for (const transient of wrapper.getStaticTransientInstances?.() ?? []) {
      if (isObject(transient?.instance)) this.#objects.add(transient.instance);
    }
  }
}

/** The members of Nest's instance wrapper that are read here. */
interface Wrapper {
  readonly metatype: unknown;
  readonly instance: unknown;
  getStaticTransientInstances?(): readonly ({ readonly instance: unknown } | undefined)[];
}
