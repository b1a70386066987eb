import { SpanKind, type Attributes, type AttributeValue } from '@opentelemetry/api';
import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';
import type { ReadableSpan } from '../../options/sdk-types.js';

/** A tag of the process, which Jaeger shows apart from those of its spans. */
export interface ProcessTag {
  readonly key: string;
  readonly value: AttributeValue;
}

/**
 * A span as the Jaeger exporter has to be given it for Jaeger to show what it shows of one that comes by OTLP.
 *
 * By itself the exporter writes lists as `a,b`, an unknown version as `undefined`, the scope under names that are no longer
 * used, nothing for the kind INTERNAL, and the whole resource into each span.
 */
export function thriftSpan(span: ReadableSpan): ReadableSpan {
  const { name, version } = span.instrumentationScope;
  const attributes: Attributes = { ...flat(span.attributes), 'otel.scope.name': name };
  if (version) attributes['otel.scope.version'] = version;
  if (span.kind === SpanKind.INTERNAL) attributes['span.kind'] = 'internal';
  return {
    ...span,
    attributes,
    events: span.events.map((event) => ({ ...event, attributes: flat(event.attributes) })),
    // The exporter takes the name of the process from the first span.
    resource: { attributes: { [ATTR_SERVICE_NAME]: serviceName(span) } } as unknown as ReadableSpan['resource'],
    instrumentationScope: undefined as unknown as ReadableSpan['instrumentationScope'],
    // What the SDK's spans have of their class a copy does not get by itself.
    spanContext: () => span.spanContext(),
    duration: span.duration,
    ended: span.ended,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}

/** The resource but for the name of the service, which Jaeger keeps in a place of its own. */
export function processTags({ resource }: ReadableSpan): ProcessTag[] {
  return Object.entries(flat(resource.attributes)).flatMap(([key, value]) =>
    value === undefined || key === ATTR_SERVICE_NAME ? [] : [{ key, value }],
  );
}

function serviceName({ resource }: ReadableSpan): string {
  return String(resource.attributes[ATTR_SERVICE_NAME]);
}

/** Thrift has no lists: they become JSON, as OpenTelemetry's specification has it. */
function flat(attributes: Attributes | undefined): Attributes {
  const entries = Object.entries(attributes ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, Array.isArray(value) ? JSON.stringify(value) : value]));
}
