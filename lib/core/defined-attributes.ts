import type { Attributes, AttributeValue } from '@opentelemetry/api';

/** Returns the attributes whose value is not undefined. */
export function definedAttributes(attributes: Readonly<Record<string, AttributeValue | undefined>>): Attributes {
  const defined: Attributes = {};
  // oxlint-disable-next-line guard-for-in -- the callers pass object literals, and a list of entries would cost an allocation for each request
  for (const key in attributes) {
    const value = attributes[key];
    if (value !== undefined) defined[key] = value;
  }
  return defined;
}
