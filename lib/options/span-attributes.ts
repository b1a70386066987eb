import type { Attributes } from '@opentelemetry/api';
import { parseAttributes } from './attributes.js';

/** Attributes of every span, or a function that returns them when a span starts. */
export type SpanAttributesOption = Attributes | (() => Attributes | undefined);

/** Resolves the attributes of every span. Returns undefined if there are none. */
export function resolveSpanAttributes(given: SpanAttributesOption | undefined): SpanAttributesOption | undefined {
  if (typeof given === 'function') return given;
  const attributes = parseAttributes('spanAttributes', given, "{ 'app.region': 'eu' }, or a function that returns one");
  return Object.keys(attributes).length === 0 ? undefined : Object.freeze(attributes);
}
