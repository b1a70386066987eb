import { createParamDecorator } from '@nestjs/common';
import { trace, type Span } from '@opentelemetry/api';
import { addCurrentSpanParameter } from '../core/current-span-parameters.js';

const activeSpan = createParamDecorator((): Span | undefined => trace.getActiveSpan());

/**
 * Gives a parameter of a method the span that the method runs in. In a controller this is the span of the handler. A method
 * with `@Span()`, or in a class with `@Traceable()`, gets its own span. If nothing is traced, a controller method gets
 * undefined, and a method with `@Span()` gets a span that is not recording.
 *
 * @throws TypeError if it decorates a parameter of a constructor
 */
export function CurrentSpan(): ParameterDecorator {
  return (target, key, index) => {
    if (key === undefined) {
      throw new TypeError('@CurrentSpan() stands on a constructor parameter. It works on parameters of methods.');
    }
    addCurrentSpanParameter(target, key, index);
    // Nest has no routes on static methods, and would store the parameter for all classes together.
    if (typeof target !== 'function') activeSpan()(target, key, index);
  };
}
