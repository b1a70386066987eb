import type { AttributeValue } from '@opentelemetry/api';
import { addAttributeParameter } from './metadata.js';

/** What can be recorded of an argument: an attribute value, or what reads as one. */
export type SpanAttributeValue = AttributeValue | Date | bigint | null;

/**
 * Records an argument of a `@Span()` method (or of a method of a `@Traceable()` class) as an attribute of its span.
 * Texts, numbers, booleans, lists of one of these, dates and bigints are recorded as they are; of an object, `pick` says
 * what to record.
 *
 * @example
 * ```ts
 * @Span()
 * place(@SpanAttribute('order.id') id: string, @SpanAttribute('order.total', (order: Order) => order.total) order: Order) {}
 * ```
 * @throws TypeError where it stands on a constructor parameter
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
