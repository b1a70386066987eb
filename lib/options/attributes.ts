import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { TracingConfigurationError } from '../tracing.errors.js';

/**
 * Parses an object of attributes. An attribute without a value is left out.
 *
 * @param example an attribute that suits the option, for the error
 */
export function parseAttributes(option: string, given: unknown, example: string): Attributes {
  if (given === undefined) return {};
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new TracingConfigurationError(option, given, `Give an object of attributes, such as ${example}.`);
  }
  const attributes: Attributes = {};
  for (const [key, value] of Object.entries(given)) {
    if (value !== undefined) attributes[key] = attributeValue(`${option}.${key}`, value);
  }
  return attributes;
}

function attributeValue(name: string, value: unknown): AttributeValue {
  if (isScalar(value)) return value;
  if (Array.isArray(value) && value.every((item) => isScalar(item) && typeof item === typeof value[0])) {
    return Object.freeze([...value]) as unknown as AttributeValue;
  }
  throw new TracingConfigurationError(name, value, 'Use a text, a number, a boolean, or a list of one of them.');
}

function isScalar(value: unknown): value is string | number | boolean {
  return (
    typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  );
}
