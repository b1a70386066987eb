import type { ReadableSpan } from '../../options/sdk-types.js';

/** Estimated bytes of what a span has besides its texts and attributes. */
const BYTES_PER_SPAN = 250;
const BYTES_PER_EVENT = 80;
const BYTES_PER_LINK = 80;
const BYTES_PER_ATTRIBUTE = 50;
const BYTES_PER_ELEMENT = 12;
// Counted as if all text were of three bytes a character: to count the bytes themselves takes as long as to write them.
const BYTES_PER_CHARACTER = 3;

/** Levels of a value that is neither a text, a number nor a list of these; no exporter writes deeper ones in full. */
const MAX_DEPTH = 8;

// With the span, since a weak map costs more than the estimate. Not estimated anew, because an exporter may change the span:
// what is subtracted in the end has to be what was added.
const SIZE = Symbol('nestjs-tracing:size');

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

/**
 * Bytes of a finished span without its resource, in Protocol Buffers or Thrift, rather too many than too few. Estimated
 * once for each span. Never throws.
 */
export function spanSize(span: ReadableSpan & { [SIZE]?: number }): number {
  const known = span[SIZE];
  if (known !== undefined) return known;
  // A span that is frozen could not keep its size.
  if (!Object.isExtensible(span)) return BYTES_PER_SPAN;
  return (span[SIZE] = estimate(span));
}

function estimate(span: ReadableSpan): number {
  try {
    const { name, attributes, events, links, status } = span;
    let size = BYTES_PER_SPAN + textSize(name) + textSize(status.message) + attributesSize(attributes);
    for (const event of events) size += BYTES_PER_EVENT + textSize(event.name) + attributesSize(event.attributes);
    for (const link of links) size += BYTES_PER_LINK + attributesSize(link.attributes);
    return size;
  } catch {
    // The span is no span of the SDK. Its exporter may still know what to do with it.
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

function textSize(text: unknown): number {
  return typeof text === 'string' ? BYTES_PER_CHARACTER * text.length : 0;
}
