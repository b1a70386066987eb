import 'reflect-metadata';
import { Catch, type ExceptionFilter, type Type } from '@nestjs/common';
import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { callSafely } from '../core/diagnostics.js';
import { findGateways } from '../core/gateways.js';
import { isObject } from '../core/is-object.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import { EXCEPTION_FILTERS_METADATA, isMessageHandler } from '../core/nest-metadata.js';
import { overrideOnInstance } from '../core/override-on-instance.js';
import { watchWrapper, type Wrapper } from '../core/watch-wrapper.js';
import type { AnyMethod } from '../core/wrap-method.js';
import { methodNames } from './method-names.js';

type Undo = (() => void) | undefined;

/**
 * Records every exception that a guard, a pipe, an interceptor, a handler or a middleware throws, on the span of the request or call that
 * is served. Call it before Nest registers routes and handlers, and call the returned function afterwards.
 *
 * Nest has no hook for exceptions, but it asks exception filters whether they catch one: first those of the method, then those of the
 * class, then the global ones. So either a filter of a method or class catches the exception, and its `catch` method is observed, or a
 * global filter sees it that Nest asks before all others and that catches nothing. Guards, pipes and interceptors stay as they are, and
 * filters are changed only until Nest has read their methods, which it does once.
 *
 * @param isStatic true for the controllers that live as long as the application. Nest reads the filters of all others for each request, so
 * the function that is returned for those is called when the application shuts down
 */
export function recordExceptions(
  applicationConfig: ApplicationConfig,
  modules: ModulesContainer,
  isStatic: boolean,
): () => void {
  const globals = applicationConfig.getGlobalFilters();
  // Nest asks the last global filter first.
  if (!globals.includes(exceptionObserver)) globals.push(exceptionObserver);
  const undos: Undo[] = [];
  // Nest asks global filters of request scope before the last global one.
  if (!isStatic) undos.push(...(applicationConfig.getGlobalRequestFilters() as Wrapper[]).map(observeWhenRead));
  for (const { controller, injectables } of controllersOf(modules, isStatic))
    undos.push(...observeFiltersOf(controller, injectables, isStatic));
  return () => undoAll(undos);
}

/**
 * Does the same for transports that are connected to an application with an HTTP server. Unless such a transport inherits the
 * configuration of the application, it has a list of global filters that no provider can access. So the observing filter is added to the
 * classes of controllers with message handlers, as `@UseFilters()` would add it, until Nest has read their filters.
 */
export function recordExceptionsOfConnected(modules: ModulesContainer, isStatic: boolean): () => void {
  const controllers = [...controllersOf(modules, isStatic)].map(({ controller }) => controller);
  const undos = controllers.filter(hasMessageHandlers).map(addObserverTo);
  return () => undoAll(undos);
}

/**
 * Does the same for gateways of WebSocket clients, to which no global filter applies.
 *
 * @param isStatic true for the gateways that live as long as the application
 */
export function recordExceptionsOfGateways(modules: ModulesContainer, isStatic: boolean): () => void {
  const undos: Undo[] = [];
  for (const gateway of findGateways(modules)) {
    if (gateway.isStatic !== isStatic) continue;
    undos.push(
      ...observeFiltersOf(gateway.metatype, gateway.module.injectables, isStatic),
      addObserverTo(gateway.metatype),
    );
  }
  return () => undoAll(undos);
}

function* controllersOf(modules: ModulesContainer, isStatic: boolean) {
  for (const { controllers, injectables } of modules.values()) {
    for (const wrapper of controllers.values()) {
      if (!wrapper.metatype || wrapper.isDependencyTreeStatic() !== isStatic) continue;
      yield { controller: wrapper.metatype as Type, injectables };
    }
  }
}

/** The guards, pipes, interceptors and filters of a module, by their classes. */
type Injectables = ReadonlyMap<unknown, Wrapper>;

/** Observes the filters of a class and its methods. Returns functions that undo it. */
function observeFiltersOf(controller: Type, injectables: Injectables, isStatic: boolean): Undo[] {
  return filtersOf(controller).map((filter) => {
    if (typeof filter !== 'function') return observeFilter(filter, isStatic);
    // For a class, Nest uses the instance that it has created for this module, or the one that a test has substituted.
    const wrapper = injectables.get(filter);
    if (!wrapper) return undefined;
    return isStatic ? observeFilter(wrapper.instance, true) : observeWhenRead(wrapper);
  });
}

/** Observes a filter whenever Nest reads it for a request, just before Nest binds its method. At other times it is as it was. */
function observeWhenRead(wrapper: Wrapper): Undo {
  return watchWrapper(wrapper, (filter, isForRequest) => {
    const undo = isForRequest ? observeFilter(filter, true) : undefined;
    if (undo) queueMicrotask(undo);
  });
}

function undoAll(undos: Undo[]): void {
  for (const undo of undos.splice(0)) undo?.();
}

function addObserverTo(controller: Type): Undo {
  const filters = (Reflect.getMetadata(EXCEPTION_FILTERS_METADATA, controller) as unknown[] | undefined) ?? [];
  if (filters.includes(exceptionObserver)) return undefined;
  const own: unknown = Reflect.getOwnMetadata(EXCEPTION_FILTERS_METADATA, controller);
  const observed = [...filters, exceptionObserver];
  Reflect.defineMetadata(EXCEPTION_FILTERS_METADATA, observed, controller);
  return () => {
    // Another module may have added filters in between.
    if (Reflect.getOwnMetadata(EXCEPTION_FILTERS_METADATA, controller) !== observed) return;
    if (own === undefined) Reflect.deleteMetadata(EXCEPTION_FILTERS_METADATA, controller);
    else Reflect.defineMetadata(EXCEPTION_FILTERS_METADATA, own, controller);
  };
}

function hasMessageHandlers(controller: Type): boolean {
  const prototype = controller.prototype as Record<string, object>;
  return methodNames(controller).some((name) => isMessageHandler(prototype[name] as object));
}

function filtersOf(controller: Type): Type[] {
  const prototype = controller.prototype as Record<string, object | undefined>;
  const targets = [controller, ...methodNames(controller).map((name) => prototype[name])];
  return targets.flatMap(
    (target) => (target && (Reflect.getMetadata(EXCEPTION_FILTERS_METADATA, target) as Type[])) ?? [],
  );
}

/** The proxies that observe `catch` methods, so that no method is observed twice. */
const observedMethods = new WeakSet<object>();

/**
 * Records the exceptions that a filter catches, until the returned function is called.
 *
 * @param isReadOnce false if Nest reads the method for each request: a spy that replaces it later has an effect then, as without tracing
 */
function observeFilter(filter: unknown, isReadOnce: boolean): Undo {
  if (!isObject(filter)) return undefined;
  const method: unknown = Reflect.get(filter, 'catch');
  if (typeof method !== 'function' || observedMethods.has(method)) return undefined;
  const own = Object.getOwnPropertyDescriptor(filter, 'catch');
  const current = (): unknown => {
    if (isReadOnce) return method;
    if (!own) return Reflect.get(Object.getPrototypeOf(filter) as object, 'catch', filter);
    return own.get ? Reflect.apply(own.get, filter, []) : method;
  };
  // The replacement is a proxy of the method, so that a mock is still a mock.
  const observed = new Proxy(method as AnyMethod, {
    apply(_method, thisArg, args) {
      recordThrown(args[0]);
      return Reflect.apply(current() as AnyMethod, thisArg, args);
    },
  });
  observedMethods.add(observed);
  return overrideOnInstance(filter, 'catch', observed);
}

/** The message of Nest's exception for a guard that has returned false. That is a decision of the guard, and no failure of the application. */
const GUARD_REJECTION_MESSAGE = 'Forbidden resource';

function recordThrown(thrown: unknown): void {
  callSafely('Recording an exception', () => {
    const isRejection = (thrown as { message?: unknown } | null | undefined)?.message === GUARD_REJECTION_MESSAGE;
    const incoming = IncomingOperation.active();
    if (isRejection) incoming?.reportRejection(thrown);
    else incoming?.recordException(thrown);
  });
}

/** A class without instances. Nest tests with `instanceof` whether a filter catches an exception, which records the exception here. */
function AnyException(): void {}
Object.defineProperty(AnyException, Symbol.hasInstance, {
  value(thrown: unknown): boolean {
    recordThrown(thrown);
    return false;
  },
});

class ExceptionObserver implements ExceptionFilter {
  /** Never called, since this filter catches no exception. */
  catch(): void {}
}
Catch(AnyException as unknown as Type)(ExceptionObserver);

const exceptionObserver = new ExceptionObserver();
