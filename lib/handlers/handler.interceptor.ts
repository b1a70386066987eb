import type { CallHandler, ExecutionContext, NestInterceptor, Type } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';
import type { Attributes } from '@opentelemetry/api';
import { ATTR_CODE_FUNCTION_NAME } from '@opentelemetry/semantic-conventions';
import { defer, type Observable } from 'rxjs';
import { activeEntry } from '../core/entry.js';
import { Operation } from '../core/operation.js';
import { traceObservable } from '../core/trace-observable.js';
import { isNoSpan } from '../core/no-span.js';
import { TracedWork } from '../core/work.js';

/** What Nest calls the handlers that serve a request or a call as a whole. */
const TYPES = new Set<string>(['http', 'rpc']);

interface HandlerDescription {
  readonly name: string;
  readonly attributes: Attributes;
  readonly silent: boolean;
}

/**
 * Gives each handler its span, around pipes, later interceptors and the handler itself, and records what they throw
 * before filters turn it into an answer.
 */
export class HandlerInterceptor implements NestInterceptor {
  private readonly descriptions = new WeakMap<Type, WeakMap<object, HandlerDescription>>();

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    // A resolver or a gateway is called many times for one request.
    if (!TYPES.has(execution.getType())) return next.handle();
    const entry = activeEntry();
    if (!entry?.handlerReached()) return next.handle();
    const { name, attributes, silent } = this.describe(execution.getClass(), execution.getHandler());
    if (silent) entry.discard();
    // Nest binds the handler to the context in which handle() is called.
    return traceObservable(
      defer(() => next.handle()),
      () => {
        const operation = silent ? Operation.suppressed() : Operation.start(name, { attributes, forFunction: name });
        entry.handledIn?.(operation);
        return new TracedWork(operation);
      },
    );
  }

  private describe(controller: Type, handler: object): HandlerDescription {
    let handlers = this.descriptions.get(controller);
    if (!handlers) this.descriptions.set(controller, (handlers = new WeakMap()));
    let description = handlers.get(handler);
    if (!description) {
      const name = `${controller.name}.${methodName(controller, handler)}`;
      description = {
        name,
        attributes: { [ATTR_CODE_FUNCTION_NAME]: name },
        silent: isNoSpan(controller) || isNoSpan(handler),
      };
      handlers.set(handler, description);
    }
    return description;
  }
}

/** A handler's name in its controller. Some decorators, such as `@GrpcStreamMethod()`, leave the function itself without one. */
function methodName({ prototype }: Type, handler: object): string {
  const methods = new MetadataScanner().getAllMethodNames(prototype as object);
  const found = methods.find((name) => (prototype as Record<string, unknown>)[name] === handler);
  return found ?? (handler as { name: string }).name;
}
