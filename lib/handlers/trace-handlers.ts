import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { withCurrentSpan } from '../core/current-span-parameters.js';
import { guarded, warn } from '../core/diagnostics.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import { isMessageHandler, isRouteHandler } from '../core/nest-metadata.js';
import { settle } from '../core/settle.js';
import type { AnyMethod } from '../core/wrap-method.js';
import { methodNames } from './method-names.js';
import { TracedHandler } from './traced-handler.js';

/** The handlers that are traced, by their function and then by the class of the controller: classes inherit handlers. */
const handlers = new WeakMap<object, HandlerOfClasses>();

/**
 * Instruments every handler of requests and of calls. Call it before Nest asks the controllers for their handlers.
 *
 * Nest calls a handler as `handler.apply(controller, args)`, and hands the same function to guards and interceptors as
 * `getHandler()`. So the function itself has to stay, with all that stands on it now or later, and gets an `apply` of its own.
 * It does what that of every function does, outside of an entry that is being served. An interceptor would cost each request
 * some Observables, sampled or not; a method of the controller's instance would be another function than its class has.
 */
export function traceHandlers(modules: ModulesContainer): void {
  for (const module of modules.values()) {
    for (const { instance, metatype } of module.controllers.values()) {
      if (metatype)
        guarded('Tracing handlers', () => traceController(metatype as Type, instance as object | undefined));
    }
  }
}

function traceController(controller: Type, instance: object | undefined): void {
  const prototype = controller.prototype as object;
  for (const name of methodNames(controller)) {
    // Nest calls the method that the instance has, which may be another one than that of its class.
    for (const owner of [prototype, instance]) {
      const method: unknown = owner && Reflect.get(owner, name);
      if (typeof method !== 'function') continue;
      if (isRouteHandler(method) || isMessageHandler(method)) traceHandler(method as AnyMethod, controller, name);
    }
  }
}

function traceHandler(method: AnyMethod, controller: Type, name: string): void {
  const known = handlers.get(method);
  if (known) {
    known.add(controller, name);
    return;
  }
  const descriptor = { value: applyTraced, configurable: true, writable: true, enumerable: false };
  if (Object.hasOwn(method, 'apply') || !Reflect.defineProperty(method, 'apply', descriptor)) {
    const fix = 'It is frozen, or has a property "apply" of its own.';
    warn(`handler:${controller.name}.${name}`, `The handler ${controller.name}.${name} gets no span. ${fix}`);
    return;
  }
  handlers.set(method, new HandlerOfClasses(controller, name));
}

/** A handler as the classes have it that share its function, because they inherit it. */
class HandlerOfClasses {
  readonly #ofClass = new WeakMap<object, TracedHandler>();
  readonly #first: TracedHandler;

  constructor(controller: Type, name: string) {
    this.#first = new TracedHandler(controller, name);
    this.#ofClass.set(controller, this.#first);
  }

  add(controller: Type, name: string): void {
    if (!this.#ofClass.has(controller)) this.#ofClass.set(controller, new TracedHandler(controller, name));
  }

  /** A decorator may have put another class, or another `constructor`, in the place of the one that Nest knows. */
  of(instance: unknown): TracedHandler {
    const controller = (instance as object | null | undefined)?.constructor;
    return (controller && this.#ofClass.get(controller)) ?? this.#first;
  }
}

/** Is called by Nest as `Function.prototype.apply` would be. */
function applyTraced(this: AnyMethod, thisArg: unknown, args: unknown[]): unknown {
  const incoming = IncomingOperation.active();
  const handler = incoming && handlers.get(this)?.of(thisArg);
  if (!handler || !incoming.reachHandler()) return Reflect.apply(this, thisArg, args ?? []);
  const start = () => handler.start(incoming, this);
  const { spanParameters } = handler;
  if (spanParameters.length === 0) return settle(start, this, thisArg, args);
  return settle(start, this, thisArg, (work) => withCurrentSpan(args, spanParameters, work?.operation.span));
}
