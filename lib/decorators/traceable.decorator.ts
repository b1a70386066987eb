import { traceMethod, type SpanOptions } from './span.decorator.js';
import { wrapMethods } from '../core/wrap-method.js';

/** Options of all spans of a class with `@Traceable()`. */
export type TraceableOptions = Omit<SpanOptions, 'name' | 'links' | 'onResult'>;

/**
 * Traces all methods of a class, as `@Span()` on each of them would. A method with its own `@Span()` keeps that one, and a
 * method with `@NoSpan()` gets none. Not traced are accessors, inherited and static methods, methods whose name is a symbol,
 * and methods that the language itself calls (`then`, `toJSON`, `toString`, `valueOf`).
 */
export function Traceable(options: TraceableOptions = {}): ClassDecorator {
  return (constructor) => wrapMethods(constructor, (target, key, method) => traceMethod(target, key, method, options));
}
