import { traceMethod, type SpanOptions } from './span.decorator.js';
import { wrapMethods } from '../core/wrap-method.js';

/** What holds for every span of a `@Traceable()` class. */
export type TraceableOptions = Omit<SpanOptions, 'name' | 'links' | 'onResult'>;

/**
 * Traces every method of a class, as `@Span()` on each would. A method with a `@Span()` of its own keeps that one,
 * a method with `@NoSpan()` gets none. Accessors, inherited and static methods are left alone, and so are methods whose
 * name is a symbol or that the language calls (`then`, `toJSON`, `toString`, `valueOf`).
 */
export function Traceable(options: TraceableOptions = {}): ClassDecorator {
  return (constructor) => wrapMethods(constructor, (target, key, method) => traceMethod(target, key, method, options));
}
