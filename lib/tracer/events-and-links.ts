import { isSpanContextValid, type Attributes, type HrTime, type Link, type SpanContext } from '@opentelemetry/api';
import type { ReadableSpan } from '../options/sdk-types.js';
import { AttributeSet, type AttributeLimits } from './attributes.js';
import { withSerializableState } from './serializable-state.js';
import { toName } from './span-name.js';

export type SpanEvent = ReadableSpan['events'][number];
export type SpanLink = ReadableSpan['links'][number];

export function createEvent(
  name: string,
  given: Attributes | undefined,
  time: HrTime,
  limits: AttributeLimits,
): SpanEvent {
  const { dropped, values } = toSet(given, limits);
  return { name: toName(name), time, attributes: values, droppedAttributesCount: dropped };
}

/** Returns a link as it is exported. Undefined if it has no ids: an exporter would lose the whole batch with it. */
export function createLink(link: Link, limits: AttributeLimits): SpanLink | undefined {
  if (!isValidLink(link)) return undefined;
  const { count, dropped, values } = toSet(link.attributes, limits);
  return {
    context: withSerializableState(link.context),
    ...(count > 0 && { attributes: values }),
    ...(dropped > 0 && { droppedAttributesCount: dropped }),
  };
}

/** Adds an entry to a list, whose oldest entry makes room for it. Returns the number of entries that were dropped. */
export function addNewest<T>(list: T[], entry: T, limit: number): number {
  if (limit === 0) return 1;
  list.push(entry);
  if (list.length <= limit) return 0;
  list.shift();
  return 1;
}

/** Returns an event or a link with its attributes within the limits. */
function limited<T extends SpanEvent | SpanLink>(entry: T, limits: AttributeLimits): T {
  if (!entry.attributes) return entry;
  const { dropped, values } = toSet(entry.attributes, limits);
  const droppedAttributesCount = (entry.droppedAttributesCount ?? 0) + dropped;
  return { ...entry, attributes: values, ...(droppedAttributesCount > 0 && { droppedAttributesCount }) };
}

function toSet(attributes: Attributes | undefined, limits: AttributeLimits): AttributeSet {
  const set = new AttributeSet();
  if (attributes) set.setAll(attributes, limits);
  return set;
}

/** True for a link with the ids of a span. */
export function isValidLink(link: Link | undefined): boolean {
  const context: Partial<SpanContext> = link?.context ?? {};
  return (
    typeof context.traceId === 'string' &&
    typeof context.spanId === 'string' &&
    isSpanContextValid(context as SpanContext)
  );
}

/** Applies limits to a list that was kept before they were known. Undefined stands for an empty list. */
export function limitEntries<T extends SpanEvent | SpanLink>(
  entries: readonly T[] | undefined,
  limits: AttributeLimits,
  count: number,
): { readonly kept: T[] | undefined; readonly dropped: number } {
  if (!entries) return { kept: undefined, dropped: 0 };
  const kept: T[] = [];
  let dropped = 0;
  for (const entry of entries) dropped += addNewest(kept, limited(entry, limits), count);
  return { kept, dropped };
}
