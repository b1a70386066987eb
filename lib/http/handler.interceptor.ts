import type { CallHandler, ExecutionContext, NestInterceptor, Type } from '@nestjs/common';
import type { Attributes } from '@opentelemetry/api';
import { ATTR_CODE_FUNCTION_NAME } from '@opentelemetry/semantic-conventions';
import { defer, type Observable } from 'rxjs';
import { Operation } from '../core/operation.js';
import { traceObservable } from '../core/trace-observable.js';
import { isNoSpan } from '../core/no-span.js';
import { ServerRequest } from './server-request.js';

interface HandlerDescription {
  readonly name: string;
  readonly attributes: Attributes;
  readonly silent: boolean;
}

/**
 * Gives each HTTP handler its span, around pipes, later interceptors and the handler itself, and records what they throw
 * before filters turn it into a response.
 */
export class HandlerInterceptor implements NestInterceptor {
  private readonly descriptions = new WeakMap<Type, WeakMap<object, HandlerDescription>>();

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (execution.getType() !== 'http') return next.handle();
    const request = ServerRequest.active();
    if (!request?.handlerReached()) return next.handle();
    const { name, attributes, silent } = this.describe(execution.getClass(), execution.getHandler());
    if (silent) request.discard();
    // Nest binds the handler to the context in which handle() is called.
    return traceObservable(
      defer(() => next.handle()),
      { start: () => (silent ? Operation.suppressed() : Operation.start(name, { attributes, forFunction: name })) },
    );
  }

  private describe(controller: Type, handler: object): HandlerDescription {
    let handlers = this.descriptions.get(controller);
    if (!handlers) this.descriptions.set(controller, (handlers = new WeakMap()));
    let description = handlers.get(handler);
    if (!description) {
      const name = `${controller.name}.${(handler as { name: string }).name}`;
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
