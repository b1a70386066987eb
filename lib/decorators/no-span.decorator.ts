import { isNoSpan, markNoSpan } from '../core/no-span.js';
import { refuseMissingParentheses, refuseStandardDecorator } from '../core/decorator-calls.js';
import { callUnwrapped, MAX_NESTING, nesting } from '../core/nesting.js';
import { Operation } from '../core/operation.js';
import { settle } from '../core/settle.js';
import { TracedWork } from '../core/work.js';
import { copyMethodIdentity, decoratedMethod, wrapMethods, type AnyMethod } from '../core/wrap-method.js';

/**
 * Suppresses tracing of a method, or of all methods of a class, and of everything that they call. On a route handler or a
 * controller class it also discards the span of the request.
 *
 * @throws TypeError if it decorates an accessor or a property
 */
export function NoSpan(...unexpected: never[]): MethodDecorator & ClassDecorator {
  refuseMissingParentheses('@NoSpan()', unexpected.length > 0);
  function decorate(target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void {
    refuseStandardDecorator('@NoSpan()', key);
    if (key === undefined) {
      markNoSpan(target);
      wrapMethods(target, suppressMethod);
    } else {
      const method = decoratedMethod('@NoSpan()', target, key, descriptor);
      (descriptor as PropertyDescriptor).value = suppressMethod(target, key, method);
    }
  }
  return decorate;
}

/** Returns the method with tracing suppressed while it runs. */
function suppressMethod(target: object, key: string | symbol, method: AnyMethod): AnyMethod {
  if (isNoSpan(method)) return method;
  function suppressedMethod(this: unknown, ...args: unknown[]): unknown {
    if (nesting.depth >= MAX_NESTING) return callUnwrapped(target, key, suppressedMethod, method, this, args);
    return settle(() => new TracedWork(Operation.suppressed()), method, this, args);
  }
  copyMethodIdentity(suppressedMethod, method);
  markNoSpan(suppressedMethod);
  return suppressedMethod;
}
