import { isNoSpan, markNoSpan } from '../core/no-span.js';
import { callUnwrapped, MAX_NESTING, nesting } from '../core/nesting.js';
import { Operation } from '../core/operation.js';
import { settle } from '../core/settle.js';
import { TracedWork } from '../core/work.js';
import { disguise, methodOf, wrapMethods, type AnyMethod } from '../core/wrap-method.js';

/**
 * Keeps a method, or every method of a class, and everything it calls out of every trace. On a route handler or a
 * controller class it also takes back the span of the request.
 *
 * @throws TypeError where it stands on an accessor or a property
 */
export function NoSpan(): MethodDecorator & ClassDecorator {
  function decorate(target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void {
    if (key === undefined) {
      markNoSpan(target);
      wrapMethods(target, silence);
    } else {
      const method = methodOf('@NoSpan()', target, key, descriptor);
      (descriptor as PropertyDescriptor).value = silence(target, key, method);
    }
  }
  return decorate;
}

function silence(target: object, key: string | symbol, method: AnyMethod): AnyMethod {
  if (isNoSpan(method)) return method;
  function silent(this: unknown, ...args: unknown[]): unknown {
    if (nesting.depth >= MAX_NESTING) return callUnwrapped(target, key, silent, method, this, args);
    return settle(() => new TracedWork(Operation.suppressed()), method, this, args);
  }
  disguise(silent, method);
  markNoSpan(silent);
  return silent;
}
