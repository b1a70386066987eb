import { context, trace, type Context } from '@opentelemetry/api';
import { callInContext } from '../core/context-manager.js';
import type { IncomingOperation } from '../core/incoming-operation.js';
import { OperationContext } from '../core/operation-context.js';
import type { Operation } from '../core/operation.js';
import { settle } from '../core/settle.js';
import type { Work } from '../core/work.js';
import type { AnyMethod } from '../core/wrap-method.js';
import type { Stage } from './stage.js';

/** The arguments of `next()` with which Express skips middleware. They are no errors. */
const SKIPPING = new Set<unknown>(['route', 'router']);

/**
 * Calls a middleware in a span of its own, which ends when the middleware calls `next()`, and otherwise with the response. Whatever
 * `next()` calls is below the span of the request, and not below that of the middleware.
 */
export function callMiddleware(stage: Stage, method: AnyMethod, thisArg: unknown, args: unknown[]): unknown {
  const incoming = stage.servedExchange();
  const [request, response, next, ...rest] = args;
  if (!incoming || typeof next !== 'function') return Reflect.apply(method, thisArg, args);
  const outside = context.active();
  return settle(
    () => new MiddlewareWork(stage.start(), incoming),
    method,
    thisArg,
    (work) => (work ? [request, response, work.observeNext(next as AnyMethod, outside), ...rest] : args),
  );
}

class MiddlewareWork implements Work {
  readonly isOnlyAwaited = true;

  constructor(
    private readonly operation: Operation,
    incoming: IncomingOperation,
  ) {
    incoming.onOver(() => this.cancel());
  }

  get context(): Context {
    return this.operation.context;
  }

  /** Returns a `next` that ends the span first. */
  observeNext(next: AnyMethod, outside: Context): AnyMethod {
    return new Proxy(next, {
      apply: (target, thisArg, args) => {
        const [error] = args as unknown[];
        if (error && !SKIPPING.has(error)) this.fail(error);
        else this.cancel();
        return callInContext(this.contextBeyond(outside), target, thisArg, args);
      },
    });
  }

  restart(): void {}

  /** The middleware has returned: it may call `next()` later, or answer the request. */
  succeed(): void {}

  complete(): void {}

  fail(thrown: unknown): void {
    this.operation.fail(thrown);
    this.operation.end();
  }

  cancel(): void {
    this.operation.end();
  }

  /** Returns the context of what follows: that of the request, with the values that the middleware has set in its own. */
  private contextBeyond(outside: Context): Context {
    const active = context.active();
    if (active === this.operation.context) return outside;
    // The middleware has called next() in a span of its own, or in a context that has nothing to do with the call.
    if (trace.getSpan(active) !== this.operation.span) return active;
    return OperationContext.inPlaceOf(outside, active);
  }
}
