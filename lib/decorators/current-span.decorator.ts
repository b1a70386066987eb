import { createParamDecorator } from '@nestjs/common';
import { trace, type Span } from '@opentelemetry/api';
import { addCurrentSpanParameter } from '../core/current-span-parameters.js';

const activeSpan = createParamDecorator((): Span | undefined => trace.getActiveSpan());

/**
 * Hands a method the span it runs in: the handler's span in a controller, and the method's own where it has `@Span()` or
 * its class `@Traceable()`. Where nothing is traced, the parameter is undefined in a controller; a method with `@Span()`
 * gets a span that records nothing.
 *
 * @throws TypeError where it stands on a constructor parameter
 */
export function CurrentSpan(): ParameterDecorator {
  return (target, key, index) => {
    if (key === undefined) {
      throw new TypeError('@CurrentSpan() stands on a constructor parameter. It works on parameters of methods.');
    }
    addCurrentSpanParameter(target, key, index);
    // Nest has no routes on static methods, and would note the parameter for every class there is.
    if (typeof target !== 'function') activeSpan()(target, key, index);
  };
}
