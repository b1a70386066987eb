import type { Attributes } from '@opentelemetry/api';

/**
 * Returns the attributes that differ from those with which the span has started: a sampler, a span processor or the application may have
 * replaced the others, which must stay so.
 *
 * @param started undefined if the span has started without attributes
 */
export function changedAttributes(attributes: Attributes, started: Attributes | undefined): Attributes {
  if (!started) return attributes;
  return Object.fromEntries(Object.entries(attributes).filter(([key, value]) => started[key] !== value));
}
