import type { Attributes, AttributeValue } from '@opentelemetry/api';
import type { ReadableSpan } from '../../tracing.options.js';

/** Splits spans into parts of at most so many bytes, in their order; a span that is larger is a part of its own. */
export function splitBySize(spans: readonly ReadableSpan[], maxBytes: number): ReadableSpan[][] {
  const parts: ReadableSpan[][] = [];
  let room = 0;
  for (const span of spans) {
    const size = spanSize(span);
    const last = parts.at(-1);
    if (last && size <= room) {
      last.push(span);
      room -= size;
    } else {
      parts.push([span]);
      room = maxBytes - size;
    }
  }
  return parts;
}

/** Bytes of a span without its resource, in Protocol Buffers or Thrift, rather too many than too few. */
function spanSize({ name, attributes, events, links }: ReadableSpan): number {
  let size = 250 + 3 * name.length + attributesSize(attributes);
  for (const event of events) size += 80 + 3 * event.name.length + attributesSize(event.attributes);
  for (const link of links) size += 80 + attributesSize(link.attributes);
  return size;
}

function attributesSize(attributes: Attributes | undefined): number {
  let size = 0;
  for (const key in attributes) size += 50 + 3 * key.length + valueSize(attributes[key]);
  return size;
}

// Counted as if all text were of three bytes a character: to count the bytes themselves takes as long as to write them.
function valueSize(value: AttributeValue | undefined): number {
  if (typeof value === 'string') return 3 * value.length;
  return typeof value === 'object' ? 3 * JSON.stringify(value).length : 10;
}
