import type { AttributeValue } from '@opentelemetry/api';
import { addAttributeParameter } from '../core/parameter-attributes.js';

/** The result of `pick`: an attribute value, or a value that is recorded as text. */
export type SpanAttributeValue = AttributeValue | Date | bigint | null;

/**
 * Records an argument as an attribute of the span of its method: a `@Span()` method, a method of a `@Traceable()` class, or a handler of
 * requests, calls or messages, which has a span without any decorator.
 * Texts, numbers, booleans and lists of one of these are recorded as they are, dates and bigints as text. For any other
 * object, `pick` selects the value to record.
 *
 * @example
 * ```ts
 * @Span()
 * place(@SpanAttribute('order.id') id: string, @SpanAttribute('order.total', (order: Order) => order.total) order: Order) {}
 *
 * @Get(':id')
 * one(@Param('id') @SpanAttribute('order.id') id: string) {}
 * ```
 * @throws TypeError if it decorates a parameter of a constructor
 */
export function SpanAttribute<T = unknown>(
  name: string,
  pick?: (value: T) => SpanAttributeValue | undefined,
): ParameterDecorator {
  return (target, key, index) => {
    if (key === undefined) {
      throw new TypeError(
        `@SpanAttribute('${name}') stands on a constructor parameter. It works on parameters of methods.`,
      );
    }
    addAttributeParameter(target, key, { index, name, pick });
  };
}
