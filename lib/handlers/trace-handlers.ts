import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { Subject } from 'rxjs';
import { activeEntry } from '../core/entry.js';
import { settle } from '../core/settle.js';
import { shadow } from '../core/shadow.js';
import { disguise, type AnyMethod } from '../core/wrap-method.js';
import { Handled } from './handled.js';
import { HandlerInterceptor } from './handler.interceptor.js';
import { methodNames } from './methods.js';

/** Under these keys `@Get()` and its like mark a method as a handler of requests. */
const ROUTE_METADATA = ['path', 'method'];

/** Under this key `@GrpcMethod()` and its like mark a method as a handler of messages. */
const PATTERN_METADATA = 'microservices:pattern';

/** Under this key `@UseInterceptors()` keeps the interceptors of a class. */
const INTERCEPTORS_METADATA = '__interceptors__';

const interceptor = new HandlerInterceptor();
const traced = new WeakSet<object>();

/**
 * Has every handler traced, of requests and of calls. Call it before Nest asks the controllers for their handlers.
 *
 * A controller's instance gets a method of its own in front of each handler. An interceptor would cost each request some
 * Observables, sampled or not; it is left to controllers that are made anew for each request.
 */
export function traceHandlers(modules: ModulesContainer): void {
  for (const module of modules.values()) {
    for (const wrapper of module.controllers.values()) {
      const controller = wrapper.metatype as Type | null;
      if (!controller) continue;
      const names = methodNames(controller).filter((name) => isHandler(controller, name));
      if (names.length === 0) continue;
      if (!wrapper.isDependencyTreeStatic() || !traceInstance(wrapper.instance, controller, names))
        intercept(controller);
    }
  }
}

/** Returns false where the instance does not take it. */
function traceInstance(instance: object, controller: Type, names: readonly string[]): boolean {
  if (traced.has(instance)) return true;
  const undos: ((() => void) | undefined)[] = names.map((name) => traceHandler(instance, controller, name));
  if (undos.every((undo) => undo !== undefined)) {
    traced.add(instance);
    return true;
  }
  for (const undo of undos) undo?.();
  return false;
}

function traceHandler(instance: object, controller: Type, name: string): (() => void) | undefined {
  const method = (instance as Record<string, unknown>)[name] as AnyMethod;
  const handled = Handled.of(controller, name, method);
  function handler(this: unknown, ...args: unknown[]): unknown {
    const entry = activeEntry();
    if (!entry?.handlerReached()) return Reflect.apply(method, this, args);
    return settle(
      () => handled.begin(entry),
      () => withoutSubject(Reflect.apply(method, this, args)),
    );
  }
  return shadow(instance, name, disguise(handler, method));
}

// Nest subscribes to what a handler returns and calls nothing else of it, so a subject can be followed like any Observable.
function withoutSubject(result: unknown): unknown {
  return result instanceof Subject ? result.asObservable() : result;
}

function intercept(controller: Type): void {
  if (traced.has(controller)) return;
  traced.add(controller);
  // In front of the others, which the decorator itself does not do.
  const others = (Reflect.getMetadata(INTERCEPTORS_METADATA, controller) as unknown[] | undefined) ?? [];
  Reflect.defineMetadata(INTERCEPTORS_METADATA, [interceptor, ...others], controller);
}

function isHandler(controller: Type, name: string): boolean {
  const method = Object((controller.prototype as Record<string, unknown>)[name]) as object;
  return (
    ROUTE_METADATA.every((key) => Reflect.hasMetadata(key, method)) || Reflect.hasMetadata(PATTERN_METADATA, method)
  );
}
