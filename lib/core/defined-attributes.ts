import type { Attributes, AttributeValue } from '@opentelemetry/api';

/** Those of the attributes that there are. */
export function definedAttributes(attributes: Readonly<Record<string, AttributeValue | undefined>>): Attributes {
  const defined: Attributes = {};
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) defined[key] = value;
  return defined;
}
