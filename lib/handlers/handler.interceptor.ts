import type { CallHandler, ExecutionContext, NestInterceptor, Type } from '@nestjs/common';
import { defer, type Observable } from 'rxjs';
import { activeEntry } from '../core/entry.js';
import { traceObservable } from '../core/trace-observable.js';
import { Handled } from './handled.js';
import { methodNames } from './methods.js';

/** What Nest calls the handlers that serve a request or a call as a whole. */
const TYPES = new Set<string>(['http', 'rpc']);

/** Gives a handler its span whose controller is made anew for each request. */
export class HandlerInterceptor implements NestInterceptor {
  private readonly known = new WeakMap<Type, WeakMap<object, Handled>>();

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    // A resolver or a gateway is called many times for one request.
    if (!TYPES.has(execution.getType())) return next.handle();
    const entry = activeEntry();
    if (!entry?.handlerReached()) return next.handle();
    const handled = this.handled(execution.getClass(), execution.getHandler());
    // Nest binds the handler to the context in which handle() is called.
    return traceObservable(
      defer(() => next.handle()),
      () => handled.begin(entry),
    );
  }

  private handled(controller: Type, handler: object): Handled {
    let handlers = this.known.get(controller);
    if (!handlers) this.known.set(controller, (handlers = new WeakMap()));
    let handled = handlers.get(handler);
    if (!handled) handlers.set(handler, (handled = Handled.of(controller, nameOf(controller, handler), handler)));
    return handled;
  }
}

/** A handler's name in its controller. Some decorators, such as `@GrpcStreamMethod()`, leave the function itself without one. */
function nameOf(controller: Type, handler: object): string {
  const { prototype } = controller as { prototype: Record<string, unknown> };
  return methodNames(controller).find((name) => prototype[name] === handler) ?? (handler as { name: string }).name;
}
