import 'reflect-metadata';
import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { callSafely, warn } from './diagnostics.js';

// The key is a text and not a symbol, so that two copies of the library in one process share it.
const SPAN_ATTRIBUTES = 'nestjs-tracing:span-attributes';

/** A parameter whose value becomes an attribute. */
export interface AttributeParameter {
  readonly index: number;
  readonly name: string;
  readonly pick: ((value: never) => unknown) | undefined;
}

/** Marks a parameter of a method whose value becomes an attribute. */
export function addAttributeParameter(target: object, key: string | symbol, parameter: AttributeParameter): void {
  Reflect.defineMetadata(SPAN_ATTRIBUTES, [parameter, ...ownParameters(target, key)], target, key);
}

/**
 * Returns the marked parameters of a method, also of an inherited one. A method that overrides another one does not inherit its marks: its
 * parameters may hold other values, which are not to be recorded.
 */
export function attributeParameters(target: object, key: string | symbol): readonly AttributeParameter[] {
  for (let owner: object | null = target; owner; owner = Object.getPrototypeOf(owner) as object | null) {
    if (Object.hasOwn(owner, key)) return ownParameters(owner, key);
  }
  return [];
}

function ownParameters(target: object, key: string | symbol): readonly AttributeParameter[] {
  return (Reflect.getOwnMetadata(SPAN_ATTRIBUTES, target, key) as AttributeParameter[] | undefined) ?? [];
}

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
