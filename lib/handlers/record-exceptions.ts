import 'reflect-metadata';
import { Catch, type ExceptionFilter, type Type } from '@nestjs/common';
import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { callSafely } from '../core/diagnostics.js';
import { findGateways } from '../core/gateways.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import { EXCEPTION_FILTERS_METADATA, isMessageHandler } from '../core/nest-metadata.js';
import { overrideOnInstance } from '../core/override-on-instance.js';
import { methodNames } from './method-names.js';

/**
 * Records every exception that a guard, a pipe, an interceptor, a handler or a middleware throws, on the span of the request or call that
 * is served. Call it before Nest registers routes and handlers, and call the returned function afterwards.
 *
 * Nest has no hook for exceptions, but it asks exception filters whether they catch one: first those of the method, then those of the
 * class, then the global ones. So either a filter of a method or class catches the exception, and its `catch` method is observed, or a
 * global filter sees it that Nest asks before all others and that catches nothing. Guards, pipes and interceptors stay as they are, and
 * filters are changed only until Nest has read their methods, which it does once.
 */
export function recordExceptions(applicationConfig: ApplicationConfig, modules: ModulesContainer): () => void {
  const globals = applicationConfig.getGlobalFilters();
  // Nest asks the last global filter first.
  if (!globals.includes(exceptionObserver)) globals.push(exceptionObserver);
  const undos: ((() => void) | undefined)[] = [];
  for (const module of modules.values()) {
    for (const { metatype } of module.controllers.values()) {
      if (metatype) undos.push(...observeFiltersOf(metatype as Type, module.injectables));
    }
  }
  return () => undoAll(undos);
}

/**
 * Does the same for transports that are connected to an application with an HTTP server. Unless such a transport inherits the
 * configuration of the application, it has a list of global filters that no provider can access. So the observing filter is added to the
 * classes of controllers with message handlers, as `@UseFilters()` would add it, until Nest has read their filters.
 */
export function recordExceptionsOfConnected(modules: ModulesContainer): () => void {
  const undos: ((() => void) | undefined)[] = [];
  for (const module of modules.values()) {
    for (const { metatype } of module.controllers.values()) {
      if (metatype && hasMessageHandlers(metatype as Type)) undos.push(addObserverTo(metatype as Type));
    }
  }
  return () => undoAll(undos);
}

/**
 * Does the same for gateways of WebSocket clients, to which no global filter applies. Nest reads the filters of a gateway of request scope
 * at each message, so the returned function is called for these when the application shuts down.
 *
 * @param isStatic false for the gateways of request scope, true for all others
 */
export function recordExceptionsOfGateways(modules: ModulesContainer, isStatic: boolean): () => void {
  const undos: ((() => void) | undefined)[] = [];
  for (const gateway of findGateways(modules)) {
    if (gateway.isStatic !== isStatic) continue;
    undos.push(...observeFiltersOf(gateway.metatype, gateway.module.injectables), addObserverTo(gateway.metatype));
  }
  return () => undoAll(undos);
}

/** The guards, pipes, interceptors and filters of a module, by their classes. */
type Injectables = ReadonlyMap<unknown, { readonly instance: unknown }>;

/** Observes the filters of a class and its methods. Returns functions that undo it. */
function observeFiltersOf(controller: Type, injectables: Injectables): ((() => void) | undefined)[] {
  return filtersOf(controller).map((filter) => {
    // For a class, Nest uses the instance that it has created for this module, or the one that a test has substituted.
    const instance: unknown = typeof filter === 'function' ? injectables.get(filter)?.instance : filter;
    const isFilter = typeof instance === 'object' && instance !== null;
    return isFilter ? observeFilter(instance as ExceptionFilter) : undefined;
  });
}

function undoAll(undos: ((() => void) | undefined)[]): void {
  for (const undo of undos.splice(0)) undo?.();
}

function addObserverTo(controller: Type): (() => void) | undefined {
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

/** Records the exceptions that a filter catches, until the returned function is called. */
function observeFilter(filter: ExceptionFilter): (() => void) | undefined {
  const { catch: method } = filter as Partial<ExceptionFilter>;
  if (typeof method !== 'function' || observedMethods.has(method)) return undefined;
  // The replacement is a proxy of the method, so that a mock is still a mock.
  const observed = new Proxy(method, {
    apply(target, thisArg, args) {
      recordThrown(args[0]);
      return Reflect.apply(target, thisArg, args) as unknown;
    },
  });
  observedMethods.add(observed);
  return overrideOnInstance(filter, 'catch', observed);
}

/** The message of Nest's exception for a guard that has returned false. That is a decision of the guard, and no failure of the application. */
const GUARD_REJECTION_MESSAGE = 'Forbidden resource';

function recordThrown(thrown: unknown): void {
  callSafely('Recording an exception', () => {
    if ((thrown as { message?: unknown } | null | undefined)?.message === GUARD_REJECTION_MESSAGE) return;
    IncomingOperation.active()?.recordException(thrown);
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
