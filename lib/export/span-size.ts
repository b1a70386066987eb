import type { ReadableSpan } from '../options/sdk-types.js';
import { RecordedSpan } from '../tracer/span.js';

/** Estimated bytes of a span without its strings and attributes. */
const BYTES_PER_SPAN = 250;
const BYTES_PER_EVENT = 80;
const BYTES_PER_LINK = 80;
const BYTES_PER_ATTRIBUTE = 50;
const BYTES_PER_ELEMENT = 12;
// The most that a character takes: to count the bytes exactly takes as long as to encode them.
const BYTES_PER_CHARACTER = 3;

/** The depth up to which nested values are counted: no exporter writes deeper ones in full. */
const MAX_DEPTH = 8;

// The size is a property of the span, because a weak map costs more than the estimate. It is estimated once, because an exporter
// may change the span, and the same number must be added and later subtracted.
const SIZE = Symbol('nestjs-tracing:size');

/**
 * Returns an estimate of the bytes of a finished span in Protocol Buffers or Thrift, without its resource. It is rather too high
 * than too low, and the same at each call. Never throws.
 */
export function spanSize(span: ReadableSpan & { [SIZE]?: number }): number {
  const known = span instanceof RecordedSpan ? span.estimatedSize : span[SIZE];
  if (known !== undefined) return known;
  // The size cannot be stored with a frozen span.
  if (!Object.isExtensible(span)) return BYTES_PER_SPAN;
  const size = estimate(span);
  if (span instanceof RecordedSpan) span.estimatedSize = size;
  else span[SIZE] = size;
  return size;
}

function estimate(span: ReadableSpan): number {
  try {
    const { name, attributes, events, links, status } = span;
    let size = BYTES_PER_SPAN + stringSize(name) + stringSize(status.message) + attributesSize(attributes);
    for (const event of events) size += BYTES_PER_EVENT + stringSize(event.name) + attributesSize(event.attributes);
    for (const link of links) size += BYTES_PER_LINK + attributesSize(link.attributes);
    return size;
  } catch {
    // The application has put its own object in place of the span. Its exporter may support that.
    return BYTES_PER_SPAN;
  }
}

function attributesSize(attributes: object | undefined, depth = 0): number {
  let size = 0;
  for (const key in attributes) {
    const value: unknown = attributes[key as keyof typeof attributes];
    size += BYTES_PER_ATTRIBUTE + BYTES_PER_CHARACTER * key.length + valueSize(value, depth);
  }
  return size;
}

function valueSize(value: unknown, depth: number): number {
  if (typeof value === 'string') return BYTES_PER_CHARACTER * value.length;
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return BYTES_PER_ELEMENT;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (!Array.isArray(value)) return attributesSize(value, depth + 1);
  let size = 0;
  for (const element of value) size += BYTES_PER_ELEMENT + valueSize(element, depth + 1);
  return size;
}

function stringSize(value: unknown): number {
  return typeof value === 'string' ? BYTES_PER_CHARACTER * value.length : 0;
}
