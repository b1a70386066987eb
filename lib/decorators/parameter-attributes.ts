import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { callSafely, warn } from '../core/diagnostics.js';
import type { AttributeParameter } from './metadata.js';

/** The attributes that `@SpanAttribute()` takes from the arguments of one call. */
export function parameterAttributes(
  functionName: string,
  parameters: readonly AttributeParameter[],
  args: readonly unknown[],
): Attributes {
  const attributes: Attributes = {};
  for (const { index, name, pick } of parameters) {
    const argument = args[index];
    const picked = pick
      ? callSafely(`@SpanAttribute('${name}') of ${functionName}`, () => pick(argument as never))
      : argument;
    const value = toAttributeValue(picked);
    if (value !== undefined) attributes[name] = value;
    else if (picked !== undefined && picked !== null) {
      warn(
        `span-attribute:${functionName}:${name}`,
        `@SpanAttribute('${name}') of ${functionName} got an object, which no attribute can hold. Pick what to record: @SpanAttribute('${name}', (value) => value.id).`,
      );
    }
  }
  return attributes;
}

/** The attribute value of an argument. Undefined for an object, because any of its fields may be confidential. */
function toAttributeValue(value: unknown): AttributeValue | undefined {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value;
    case 'bigint':
      return value.toString();
    case 'object':
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
      // A copy, because the application may change the list later.
      return Array.isArray(value) && isUniform(value) ? ([...(value as unknown[])] as AttributeValue) : undefined;
    default:
      return undefined;
  }
}

/** True if all values are of one primitive type, as in a list that an attribute can hold. */
function isUniform(values: readonly unknown[]): boolean {
  const kinds = new Set(values.filter((value) => value !== null && value !== undefined).map((value) => typeof value));
  const [kind = 'string'] = kinds;
  return kinds.size <= 1 && (kind === 'string' || kind === 'number' || kind === 'boolean');
}
