import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { withCurrentSpan } from '../core/current-span-parameters.js';
import { callSafely, warn } from '../core/diagnostics.js';
import { findGateways } from '../core/gateways.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import { isMessageHandler, isRouteHandler, isSocketMessageHandler, rootTypeOfResolver } from '../core/nest-metadata.js';
import { settle } from '../core/settle.js';
import type { AnyMethod } from '../core/wrap-method.js';
import { methodNames } from './method-names.js';
import { TracedHandler } from './traced-handler.js';

/** The traced handlers by function. Several classes may inherit the same function. */
const tracedHandlers = new WeakMap<object, InheritedHandler>();

/**
 * Instruments every handler of requests, calls and messages. Call it before Nest reads the handlers of the controllers.
 *
 * Nest calls a handler as `handler.apply(controller, args)`, and gives the same function to guards and interceptors as `getHandler()`. So
 * the function has to stay the same object, with all metadata that is set on it now or later, and gets an own property `apply`. Outside of
 * an incoming operation it behaves like `Function.prototype.apply`. An interceptor would cost each request several Observables, sampled or
 * not; a method on the controller's instance would be a different function from that of its class.
 */
export function traceHandlers(modules: ModulesContainer): void {
  for (const module of modules.values()) {
    for (const { instance, metatype } of module.controllers.values()) {
      if (metatype)
        callSafely('Tracing handlers', () => traceController(metatype as Type, instance as object | undefined));
    }
  }
}

/** Does the same for the handlers of messages of WebSocket clients. */
export function traceGatewayHandlers(modules: ModulesContainer): void {
  for (const { instance, metatype } of findGateways(modules)) {
    callSafely('Tracing handlers', () => traceController(metatype, instance));
  }
}

/** Does the same for the resolvers of the queries, mutations and subscriptions of GraphQL. */
export function traceResolverHandlers(modules: ModulesContainer): void {
  const providers = [...modules.values()].flatMap((module) => Array.from(module.providers.values()));
  // Without GraphQL, the methods of all providers need not be looked at.
  if (!providers.some(({ token }) => typeof token === 'function' && token.name === 'ResolversExplorerService')) return;
  for (const { instance, isNotMetatype, metatype } of providers) {
    if (!metatype || isNotMetatype) continue;
    callSafely('Tracing handlers', () => traceController(metatype as Type, instance as object | undefined));
  }
}

function traceController(controller: Type, instance: object | undefined): void {
  const prototype = controller.prototype as object;
  for (const name of methodNames(controller)) {
    // Nest calls the method of the instance, which may be a different function from that of its class.
    for (const owner of [prototype, instance]) {
      const method: unknown = owner && Reflect.get(owner, name);
      if (typeof method !== 'function') continue;
      if (isHandler(method)) traceHandler(method as AnyMethod, controller, name);
    }
  }
}

function isHandler(method: object): boolean {
  return (
    isRouteHandler(method) ||
    isMessageHandler(method) ||
    isSocketMessageHandler(method) ||
    rootTypeOfResolver(method) !== undefined
  );
}

function traceHandler(method: AnyMethod, controller: Type, name: string): void {
  const traced = tracedHandlers.get(method);
  if (traced) {
    traced.add(controller, name);
    return;
  }
  const descriptor = { value: applyHandler, configurable: true, writable: true, enumerable: false };
  if (Object.hasOwn(method, 'apply') || !Reflect.defineProperty(method, 'apply', descriptor)) {
    const fix = 'It is frozen, or has a property "apply" of its own.';
    warn(`handler:${controller.name}.${name}`, `The handler ${controller.name}.${name} gets no span. ${fix}`);
    return;
  }
  tracedHandlers.set(method, new InheritedHandler(controller, name, rootTypeOfResolver(method)));
}

/** A handler function with one traced handler for each class that inherits the function. */
class InheritedHandler {
  private readonly byClass = new WeakMap<object, TracedHandler>();
  private readonly first: TracedHandler;
  private isShared = false;

  constructor(
    controller: Type,
    name: string,
    private readonly rootType: string | undefined,
  ) {
    this.first = new TracedHandler(controller, name, rootType);
    this.byClass.set(controller, this.first);
  }

  add(controller: Type, name: string): void {
    if (this.byClass.has(controller)) return;
    this.byClass.set(controller, new TracedHandler(controller, name, this.rootType));
    this.isShared = true;
  }

  /**
   * Returns the traced handler of an instance. It falls back to the first class, since a decorator may have replaced the class, or its
   * `constructor`.
   */
  forInstance(instance: unknown): TracedHandler {
    if (!this.isShared) return this.first;
    const controller = (instance as object | null | undefined)?.constructor;
    return (controller && this.byClass.get(controller)) ?? this.first;
  }
}

/** The `apply` of a handler's function, which Nest calls. */
function applyHandler(this: AnyMethod, thisArg: unknown, args: unknown[]): unknown {
  const incoming = IncomingOperation.active();
  const handler = incoming && tracedHandlers.get(this)?.forInstance(thisArg);
  if (!handler || !handler.reach(incoming)) return Reflect.apply(this, thisArg, args ?? []);
  const start = () => handler.start(incoming, this, args);
  const { spanParameters } = handler;
  if (spanParameters.length === 0) return settle(start, this, thisArg, args);
  return settle(start, this, thisArg, (work) => withCurrentSpan(args, spanParameters, work?.operation.span));
}
