import type { ModulesContainer } from '@nestjs/core';
import { callSafely } from '../core/diagnostics.js';
import { interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import { copyMethodIdentity, type AnyMethod } from '../core/wrap-method.js';
import { callMiddleware } from './call-middleware.js';
import { Stage } from './stage.js';
import type { TracedInstances } from './traced-instances.js';
import { watchWrapper, type Wrapper } from '../core/watch-wrapper.js';

/**
 * Finds the middleware of an application, and traces it. Nest creates it after the modules have configured it, and calls `use` of the
 * instance that it has then: so both the modules and Nest's map of middleware are watched until the routes are registered.
 */
export class Middlewares {
  /** The classes that modules have applied. */
  private readonly classes = new WeakSet<object>();
  private readonly watched = new Map<object, (() => void) | undefined>();
  private readonly undosOfStart: ((() => void) | undefined)[] = [];

  constructor(
    modules: ModulesContainer,
    private readonly instances: TracedInstances,
  ) {
    for (const { metatype, middlewares, providers } of modules.values()) {
      const wrapper = providers.get(metatype) as Wrapper | undefined;
      if (wrapper) this.undosOfStart.push(watchWrapper(wrapper, (module) => this.watchModule(module)));
      this.undosOfStart.push(
        interceptMethod(middlewares, 'get', (get, thisArg, args) => {
          const found: unknown = Reflect.apply(get, thisArg, args);
          callSafely('Tracing middleware', () => this.watchMiddleware(found as Wrapper | undefined));
          return found;
        }),
      );
    }
  }

  /** Leaves the modules as they were. Call it when Nest has registered the routes. */
  registered(): void {
    for (const undo of this.undosOfStart.splice(0).toReversed()) undo?.();
  }

  /** Leaves Nest's objects and the application's as they were. */
  release(): void {
    this.registered();
    for (const undo of this.watched.values()) undo?.();
    this.watched.clear();
  }

  /** Watches the middleware that a module applies when Nest lets it configure. */
  private watchModule(module: unknown): void {
    if (!isObject(module) || !('configure' in module)) return;
    const undo = interceptMethod(module, 'configure', (configure, thisArg, args) => {
      callSafely('Tracing middleware', () => this.watchConsumer(args[0]));
      return Reflect.apply(configure, thisArg, args);
    });
    if (undo) this.undosOfStart.push(undo);
  }

  /** The consumer belongs to one module, and to its `configure()` alone. */
  private watchConsumer(consumer: unknown): void {
    if (!isObject(consumer)) return;
    interceptMethod(consumer, 'apply', (apply, thisArg, args) => {
      const observed = callSafely('Tracing middleware', () => args.map((each) => this.observeApplied(each)));
      return Reflect.apply(apply, thisArg, observed ?? args);
    });
  }

  /** Nest hides a function in a class of its own, so a function is traced here. A class is traced by its instance. */
  private observeApplied(middleware: unknown): unknown {
    if (Array.isArray(middleware)) return middleware.map((each) => this.observeApplied(each));
    if (typeof middleware !== 'function') return middleware;
    if (!isClass(middleware)) return traceFunction(middleware as AnyMethod);
    this.classes.add(middleware);
    return middleware;
  }

  private watchMiddleware(wrapper: Wrapper | undefined): void {
    const metatype = wrapper?.metatype;
    if (typeof metatype !== 'function') return;
    const base: unknown = Object.getPrototypeOf(metatype);
    if (!this.classes.has(metatype) && isObject(base) && this.classes.has(base)) this.traceUnlessExcluded(metatype);
    else if (this.classes.has(metatype)) this.watchInstances(wrapper as Wrapper);
  }

  private watchInstances(wrapper: Wrapper): void {
    const trace = (instance: unknown, isOwned: boolean) => this.instances.trace(instance, 'middleware', 'use', isOwned);
    if (!this.watched.has(wrapper)) {
      this.watched.set(
        wrapper,
        watchWrapper(wrapper, (instance) => trace(instance, false)),
      );
    }
    trace(wrapper.instance, true);
  }

  /**
   * Nest derives a class from a middleware with excluded routes, whose `use` calls that of the middleware for all other requests. Between
   * the two comes an object with a traced `use`, so that a request for an excluded route has no span.
   */
  private traceUnlessExcluded({ prototype }: { readonly prototype?: unknown }): void {
    if (!isObject(prototype) || this.watched.has(prototype)) return;
    const inherited = Object.getPrototypeOf(prototype) as object;
    const between = Object.create(inherited) as object;
    const stage = Stage.ofInstance('middleware', between, 'use');
    interceptMethod(between, 'use', (use, thisArg, args) => callMiddleware(stage, use, thisArg, args));
    Object.setPrototypeOf(prototype, between);
    this.watched.set(prototype, () => Object.setPrototypeOf(prototype, inherited));
  }
}

/** True for what Nest instantiates, rather than calls. */
function isClass(middleware: { readonly prototype?: unknown }): boolean {
  if (Function.prototype.toString.call(middleware).startsWith('class')) return true;
  return typeof (middleware.prototype as { use?: unknown } | undefined)?.use === 'function';
}

function traceFunction(middleware: AnyMethod): AnyMethod {
  const stage = Stage.ofFunction(middleware);
  function tracedMiddleware(this: unknown, ...args: unknown[]): unknown {
    return callMiddleware(stage, middleware, this, args);
  }
  return copyMethodIdentity(tracedMiddleware, middleware);
}
