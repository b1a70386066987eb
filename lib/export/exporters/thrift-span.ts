import { SpanKind, type Attributes, type AttributeValue } from '@opentelemetry/api';
import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';
import type { ReadableSpan } from '../../options/sdk-types.js';

/** A tag of the process, which Jaeger shows apart from the tags of spans. */
export interface ProcessTag {
  readonly key: string;
  readonly value: AttributeValue;
}

/**
 * Returns a copy of a span that the Jaeger exporter writes so that Jaeger shows the same as for a span that comes by OTLP.
 *
 * Of the original, the exporter writes lists as `a,b`, an unknown version as `undefined`, the scope under deprecated names,
 * nothing for the kind INTERNAL, and the whole resource into each span.
 */
export function toThriftSpan(span: ReadableSpan): ReadableSpan {
  const { name, version } = span.instrumentationScope;
  const attributes: Attributes = { ...flattenLists(span.attributes), 'otel.scope.name': name };
  if (version) attributes['otel.scope.version'] = version;
  if (span.kind === SpanKind.INTERNAL) attributes['span.kind'] = 'internal';
  return {
    ...span,
    attributes,
    events: span.events.map((event) => ({ ...event, attributes: flattenLists(event.attributes) })),
    // The exporter takes the name of the process from the first span.
    resource: { attributes: { [ATTR_SERVICE_NAME]: serviceName(span) } } as unknown as ReadableSpan['resource'],
    instrumentationScope: undefined as unknown as ReadableSpan['instrumentationScope'],
    // These are members of the SDK's class, which the spread does not copy.
    spanContext: () => span.spanContext(),
    duration: span.duration,
    ended: span.ended,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}

/** Returns the resource without the name of the service, which Jaeger keeps apart. */
export function processTags({ resource }: Pick<ReadableSpan, 'resource'>): ProcessTag[] {
  return Object.entries(flattenLists(resource.attributes)).flatMap(([key, value]) =>
    value === undefined || key === ATTR_SERVICE_NAME ? [] : [{ key, value }],
  );
}

/** Returns the name of the service, by which Jaeger finds a process. */
export function serviceName({ resource }: Pick<ReadableSpan, 'resource'>): string {
  return String(resource.attributes[ATTR_SERVICE_NAME]);
}

/** Replaces lists by JSON, as OpenTelemetry's specification requires, because Thrift has no lists. */
function flattenLists(attributes: Attributes | undefined): Attributes {
  const entries = Object.entries(attributes ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, Array.isArray(value) ? JSON.stringify(value) : value]));
}
