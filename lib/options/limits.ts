import type { SpanLimitOptions } from '../tracing.options.js';
import { knownKeys } from './known-keys.js';
import { integer } from './parse.js';
import type { ResolvedSpanLimits } from './resolved-options.js';
import { firstOf, option, variable, type Setting } from './setting.js';

/** Settles how much a span may hold. */
export function resolveLimits(given: SpanLimitOptions | undefined, env: NodeJS.ProcessEnv): ResolvedSpanLimits {
  const keys = ['attributeCount', 'attributeValueLength', 'eventCount', 'linkCount'] as const;
  const options = knownKeys<SpanLimitOptions>('limits', given, keys);
  const setting = (key: keyof SpanLimitOptions, ...names: string[]) =>
    firstOf(option(`limits.${key}`, options[key]), ...variables(...names));
  const variables = (...names: string[]) => names.map((name) => variable(env, `OTEL_${name}`));
  const count = (found: Setting | undefined) => (found ? integer(found) : 128);

  const valueLength = setting(
    'attributeValueLength',
    'SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT',
    'ATTRIBUTE_VALUE_LENGTH_LIMIT',
  );
  // The specification's name goes before the one that the JavaScript SDK had first.
  const perEvent = variables('EVENT_ATTRIBUTE_COUNT_LIMIT', 'SPAN_ATTRIBUTE_PER_EVENT_COUNT_LIMIT');
  const perLink = variables('LINK_ATTRIBUTE_COUNT_LIMIT', 'SPAN_ATTRIBUTE_PER_LINK_COUNT_LIMIT');

  return Object.freeze({
    attributeCount: count(setting('attributeCount', 'SPAN_ATTRIBUTE_COUNT_LIMIT', 'ATTRIBUTE_COUNT_LIMIT')),
    attributeValueLength: valueLength ? integer(valueLength, 1) : 8192,
    eventCount: count(setting('eventCount', 'SPAN_EVENT_COUNT_LIMIT')),
    linkCount: count(setting('linkCount', 'SPAN_LINK_COUNT_LIMIT')),
    attributePerEventCount: count(firstOf(...perEvent)),
    attributePerLinkCount: count(firstOf(...perLink)),
  });
}
