import 'reflect-metadata';
import { Catch, type ExceptionFilter, type Type } from '@nestjs/common';
import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { guarded } from '../core/diagnostics.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import { EXCEPTION_FILTERS_METADATA, isMessageHandler } from '../core/nest-metadata.js';
import { overrideOnInstance } from '../core/override-on-instance.js';
import { methodNames } from './method-names.js';

/**
 * Records, on what is being served, every exception that leaves a guard, a pipe, an interceptor, a handler or a middleware.
 * Call it before Nest registers routes and handlers, and call what it returns afterwards.
 *
 * Nest has no hook for exceptions, but asks the filters, first those of the method, then those of the class, then the global
 * ones. So an exception is seen either by a filter of a method or class that takes it, which is listened to, or by a global
 * filter that is asked before all others and takes none. Guards, pipes and interceptors are not touched, and filters only until
 * Nest has read their methods, which it does once.
 */
export function recordExceptions(applicationConfig: ApplicationConfig, modules: ModulesContainer): () => void {
  const globals = applicationConfig.getGlobalFilters();
  // Nest asks the last one first.
  if (!globals.includes(observer)) globals.push(observer);
  const undos: ((() => void) | undefined)[] = [];
  for (const module of modules.values()) {
    for (const { metatype } of module.controllers.values()) {
      for (const filter of metatype ? filtersOf(metatype as Type) : []) {
        // A class stands for the instance that Nest has made of it for this module, or that a test has put in its place.
        const instance: unknown = typeof filter === 'function' ? module.injectables.get(filter)?.instance : filter;
        if (typeof instance === 'object' && instance !== null) undos.push(listenTo(instance as ExceptionFilter));
      }
    }
  }
  return () => undoAll(undos);
}

/**
 * The same for transports that have a configuration of their own, which no provider gets to see: those that are connected to
 * an application with an HTTP server, unless they inherit its configuration. There the observing filter stands on the classes
 * of controllers with message handlers, as `@UseFilters()` would put it, until Nest has read them.
 */
export function recordExceptionsOfConnected(modules: ModulesContainer): () => void {
  const undos: ((() => void) | undefined)[] = [];
  for (const module of modules.values()) {
    for (const { metatype } of module.controllers.values()) {
      if (metatype && hasMessageHandlers(metatype as Type)) undos.push(observeClass(metatype as Type));
    }
  }
  return () => undoAll(undos);
}

function undoAll(undos: ((() => void) | undefined)[]): void {
  for (const undo of undos.splice(0)) undo?.();
}

function observeClass(controller: Type): (() => void) | undefined {
  const filters = (Reflect.getMetadata(EXCEPTION_FILTERS_METADATA, controller) as unknown[] | undefined) ?? [];
  if (filters.includes(observer)) return undefined;
  const own: unknown = Reflect.getOwnMetadata(EXCEPTION_FILTERS_METADATA, controller);
  const observed = [...filters, observer];
  Reflect.defineMetadata(EXCEPTION_FILTERS_METADATA, observed, controller);
  return () => {
    // Another module may have added filters meanwhile.
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

/** The methods that listen, so that none is listened to twice. */
const listening = new WeakSet<object>();

function listenTo(filter: ExceptionFilter): (() => void) | undefined {
  const { catch: method } = filter as Partial<ExceptionFilter>;
  if (typeof method !== 'function' || listening.has(method)) return undefined;
  // A proxy, so that a mock stays one.
  const observed = new Proxy(method, {
    apply(target, thisArg, args) {
      record(args[0]);
      return Reflect.apply(target, thisArg, args) as unknown;
    },
  });
  listening.add(observed);
  return overrideOnInstance(filter, 'catch', observed);
}

/** What Nest says where a guard has returned false. That is an answer of the guard, and no exception of the application. */
const GUARD_SAID_NO = 'Forbidden resource';

function record(thrown: unknown): void {
  guarded('Recording an exception', () => {
    if ((thrown as { message?: unknown } | null | undefined)?.message === GUARD_SAID_NO) return;
    IncomingOperation.active()?.recordException(thrown);
  });
}

/** Is no class of exceptions: Nest finds out whether a filter takes an exception by `instanceof`. */
function AnyException(): void {}
Object.defineProperty(AnyException, Symbol.hasInstance, {
  value(thrown: unknown): boolean {
    record(thrown);
    return false;
  },
});

class ExceptionObserver implements ExceptionFilter {
  /** Is never called: this filter takes no exception. */
  catch(): void {}
}
Catch(AnyException as unknown as Type)(ExceptionObserver);

const observer = new ExceptionObserver();
