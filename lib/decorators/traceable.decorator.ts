import { traceMethod, type SpanOptions } from './span.decorator.js';
import { refuseMissingParentheses, refuseStandardDecorator } from '../core/decorator-calls.js';
import { qualifiedName, wrapMethods } from '../core/wrap-method.js';

/** Options of all spans of a class with `@Traceable()`. */
export type TraceableOptions = Omit<SpanOptions, 'name' | 'links' | 'onResult'>;

/**
 * Traces all methods of a class, as `@Span()` on each of them would. A method with its own `@Span()` keeps that one, and a
 * method with `@NoSpan()` gets none. Not traced are accessors, inherited and static methods, methods whose name is a symbol,
 * and methods that the language itself calls (`then`, `toJSON`, `toString`, `valueOf`).
 *
 * @throws TypeError if it decorates a method
 */
export function Traceable(options: TraceableOptions = {}): ClassDecorator {
  refuseMissingParentheses('@Traceable()', typeof options === 'function');
  function decorate(constructor: object, key?: string | symbol): void {
    refuseStandardDecorator('@Traceable()', key);
    if (key !== undefined) {
      const found = qualifiedName(constructor, key);
      throw new TypeError(
        `@Traceable() stands on ${found}. It works on classes only: use @Span() to trace one method.`,
      );
    }
    wrapMethods(constructor, (target, name, method) => traceMethod(target, name, method, options));
  }
  return decorate;
}
