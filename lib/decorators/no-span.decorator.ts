import { isNoSpan, markNoSpan } from '../core/no-span.js';
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
      wrapMethods(target, (_, __, method) => silence(method));
    } else {
      const method = methodOf('@NoSpan()', target, key, descriptor);
      (descriptor as PropertyDescriptor).value = silence(method);
    }
  }
  return decorate;
}

function silence(method: AnyMethod): AnyMethod {
  if (isNoSpan(method)) return method;
  function silent(this: unknown, ...args: unknown[]): unknown {
    return settle(
      () => new TracedWork(Operation.suppressed()),
      () => Reflect.apply(method, this, args),
    );
  }
  disguise(silent, method);
  markNoSpan(silent);
  return silent;
}
