import type { Attributes, Span, SpanKind } from '../../../sample/02-shop/run/span.js';
import type { JaegerSpan, JaegerTag, JaegerTrace } from './jaeger-query.js';

/** A trace of Jaeger in the format of the shop's expected traces. */
export function shopSpans({ spans, processes }: JaegerTrace): Span[] {
  return spans.map((span) => {
    const attributes = valuesOf(span.tags);
    return {
      traceId: span.traceID,
      spanId: span.spanID,
      parentId: parentOf(span),
      service: processes[span.processID]!.serviceName,
      name: span.operationName,
      kind: String(attributes['span.kind']).toUpperCase() as SpanKind,
      start: span.startTime / 1000,
      end: (span.startTime + span.duration) / 1000,
      failed: attributes.error === true,
      attributes,
      events: span.logs.map(({ timestamp, fields }) => {
        const { event, ...rest } = valuesOf(fields);
        return { name: String(event), time: timestamp / 1000, attributes: rest };
      }),
    };
  });
}

export function valuesOf(tags: readonly JaegerTag[] = []): Attributes {
  return Object.fromEntries(tags.map(({ key, value }) => [key, value as string]));
}

function parentOf({ references, traceID }: JaegerSpan): string | undefined {
  return references.find((reference) => reference.refType === 'CHILD_OF' && reference.traceID === traceID)?.spanID;
}
