import type { ReadableSpan } from '../options/sdk-types.js';

/** Returns the parts of a span that a log may show: without exporters, and what they send for authentication. */
export function shownParts(span: ReadableSpan): object {
  const { attributes, droppedAttributesCount, droppedEventsCount, droppedLinksCount, duration, ended } = span;
  const { endTime, events, instrumentationScope, kind, links, name, parentSpanContext, startTime, status } = span;
  const times = { startTime, endTime, duration, ended };
  const dropped = { droppedAttributesCount, droppedEventsCount, droppedLinksCount };
  const ids = { spanContext: span.spanContext(), parentSpanContext };
  return { name, kind, ...ids, status, ...times, attributes, events, links, ...dropped, instrumentationScope };
}
