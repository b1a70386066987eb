import { knownKeys } from './known-keys.js';
import { parseFirst } from './lenient.js';
import { integer } from './parse.js';
import { option, variable, type Setting } from './setting.js';

/** Bounds of a single span. */
export interface SpanLimitOptions {
  /** Attributes of a span. @default `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`, `OTEL_ATTRIBUTE_COUNT_LIMIT`, else 128 */
  attributeCount?: number;
  /**
   * Characters of a text attribute; longer ones are cut.
   * @default `OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT`, `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT`, else 8192
   */
  attributeValueLength?: number;
  /** Events of a span. @default `OTEL_SPAN_EVENT_COUNT_LIMIT`, else 128 */
  eventCount?: number;
  /** Links of a span. @default `OTEL_SPAN_LINK_COUNT_LIMIT`, else 128 */
  linkCount?: number;
}

export interface ResolvedSpanLimits {
  readonly attributeCount: number;
  readonly attributeValueLength: number;
  readonly eventCount: number;
  readonly linkCount: number;
  readonly attributePerEventCount: number;
  readonly attributePerLinkCount: number;
}

type Sources = readonly (Setting | undefined)[];

/** Settles how much a span may hold. */
export function resolveLimits(given: SpanLimitOptions | undefined, env: NodeJS.ProcessEnv): ResolvedSpanLimits {
  const options = knownKeys<SpanLimitOptions>('limits', given, {
    attributeCount: true,
    attributeValueLength: true,
    eventCount: true,
    linkCount: true,
  });
  const variables = (...names: string[]): Sources => names.map((name) => variable(env, `OTEL_${name}`));
  const sources = (key: keyof SpanLimitOptions, ...names: string[]): Sources => [
    option(`limits.${key}`, options[key]),
    ...variables(...names),
  ];
  const count = (from: Sources) => parseFirst((setting) => integer(setting), ...from) ?? 128;
  const length = (from: Sources) => parseFirst((setting) => integer(setting, 1), ...from) ?? 8192;

  return Object.freeze({
    attributeCount: count(sources('attributeCount', 'SPAN_ATTRIBUTE_COUNT_LIMIT', 'ATTRIBUTE_COUNT_LIMIT')),
    attributeValueLength: length(
      sources('attributeValueLength', 'SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'ATTRIBUTE_VALUE_LENGTH_LIMIT'),
    ),
    eventCount: count(sources('eventCount', 'SPAN_EVENT_COUNT_LIMIT')),
    linkCount: count(sources('linkCount', 'SPAN_LINK_COUNT_LIMIT')),
    // The specification's name goes before the one that the JavaScript SDK had first.
    attributePerEventCount: count(variables('EVENT_ATTRIBUTE_COUNT_LIMIT', 'SPAN_ATTRIBUTE_PER_EVENT_COUNT_LIMIT')),
    attributePerLinkCount: count(variables('LINK_ATTRIBUTE_COUNT_LIMIT', 'SPAN_ATTRIBUTE_PER_LINK_COUNT_LIMIT')),
  });
}
