import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { MetadataScanner, type ApplicationConfig, type ModulesContainer } from '@nestjs/core';
import { HandlerInterceptor } from './handler.interceptor.js';

/** Under this key `@GrpcMethod()` and its like mark a method as a handler of messages. */
const PATTERN_METADATA = 'microservices:pattern';

/** Under this key `@UseInterceptors()` keeps the interceptors of a class. */
const INTERCEPTORS_METADATA = '__interceptors__';

const interceptor = new HandlerInterceptor();
const reached = new WeakSet<Type>();

/** Has every handler of the application traced. Call it before the application adds interceptors of its own. */
export function traceHandlers(applicationConfig: ApplicationConfig): void {
  const interceptors = applicationConfig.getGlobalInterceptors();
  // In front, so that the other global interceptors run inside the handler's span.
  interceptors.unshift(interceptor);
  if (applicationConfig.getGlobalInterceptors()[0] !== interceptor) applicationConfig.addGlobalInterceptor(interceptor);
}

/**
 * Has handlers of messages traced where the application's global interceptors do not reach: a transport that is connected
 * without `inheritAppConfig`. Reached both ways, a handler is traced once.
 */
export function traceMessageHandlers(modules: ModulesContainer): void {
  for (const module of modules.values()) {
    for (const { metatype } of module.controllers.values()) {
      const controller = metatype as Type | null;
      if (!controller || reached.has(controller) || !handlesMessages(controller)) continue;
      reached.add(controller);
      // In front here as well, which the decorator itself does not do.
      const others = (Reflect.getMetadata(INTERCEPTORS_METADATA, controller) as unknown[] | undefined) ?? [];
      Reflect.defineMetadata(INTERCEPTORS_METADATA, [interceptor, ...others], controller);
    }
  }
}

function handlesMessages({ prototype }: Type): boolean {
  const methods = new MetadataScanner().getAllMethodNames(prototype as object);
  const handlers = prototype as Record<string, object>;
  return methods.some((name) => Reflect.hasMetadata(PATTERN_METADATA, Object(handlers[name]) as object));
}
