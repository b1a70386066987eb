import type { Attributes, AttributeValue } from '@opentelemetry/api';

/** Those of the attributes that there are. */
export function definedAttributes(attributes: Readonly<Record<string, AttributeValue | undefined>>): Attributes {
  const defined: Attributes = {};
  // oxlint-disable-next-line guard-for-in -- the objects are made here, for this, and lists of their entries are not for nothing
  for (const key in attributes) {
    const value = attributes[key];
    if (value !== undefined) defined[key] = value;
  }
  return defined;
}
