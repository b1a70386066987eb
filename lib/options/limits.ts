import { checkKeys } from './check-keys.js';
import { parseFirst } from './lenient.js';
import { parseInteger } from './parse.js';
import { readOption, readVariables, type Sources, type VariableName } from './setting.js';
import type { NumberOption } from './text-types.js';

/** Limits of a single span. */
export interface SpanLimitOptions {
  /** Number of attributes of a span. @default `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`, `OTEL_ATTRIBUTE_COUNT_LIMIT`, else 128 */
  attributeCount?: NumberOption | undefined;
  /**
   * Number of characters of an attribute value. Longer texts are truncated.
   * @default `OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT`, `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT`, else 8192
   */
  attributeValueLength?: NumberOption | undefined;
  /** Number of events of a span. @default `OTEL_SPAN_EVENT_COUNT_LIMIT`, else 128 */
  eventCount?: NumberOption | undefined;
  /** Number of links of a span. @default `OTEL_SPAN_LINK_COUNT_LIMIT`, else 128 */
  linkCount?: NumberOption | undefined;
}

export interface ResolvedSpanLimits {
  readonly attributeCount: number;
  readonly attributeValueLength: number;
  readonly eventCount: number;
  readonly linkCount: number;
  readonly attributePerEventCount: number;
  readonly attributePerLinkCount: number;
}

/** Resolves the limits of a span. */
export function resolveLimits(given: SpanLimitOptions | undefined, env: NodeJS.ProcessEnv): ResolvedSpanLimits {
  const options = checkKeys<SpanLimitOptions>('limits', given, {
    attributeCount: true,
    attributeValueLength: true,
    eventCount: true,
    linkCount: true,
  });
  const setting = (key: keyof SpanLimitOptions) => readOption(`limits.${key}`, options[key]);
  const variables = (...names: VariableName[]) => readVariables(env, ...names);
  const count = (...sources: Sources) => parseFirst((source) => parseInteger(source), ...sources) ?? 128;
  const length = (...sources: Sources) => parseFirst((source) => parseInteger(source, 1), ...sources) ?? 8192;

  return Object.freeze({
    attributeCount: count(
      setting('attributeCount'),
      ...variables('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT'),
    ),
    attributeValueLength: length(
      setting('attributeValueLength'),
      ...variables('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'),
    ),
    eventCount: count(setting('eventCount'), ...variables('OTEL_SPAN_EVENT_COUNT_LIMIT')),
    linkCount: count(setting('linkCount'), ...variables('OTEL_SPAN_LINK_COUNT_LIMIT')),
    // The second name is the one that the JavaScript SDK used before the specification had a name.
    attributePerEventCount: count(
      ...variables('OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', 'OTEL_SPAN_ATTRIBUTE_PER_EVENT_COUNT_LIMIT'),
    ),
    attributePerLinkCount: count(
      ...variables('OTEL_LINK_ATTRIBUTE_COUNT_LIMIT', 'OTEL_SPAN_ATTRIBUTE_PER_LINK_COUNT_LIMIT'),
    ),
  });
}
