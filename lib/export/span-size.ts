import type { ReadableSpan } from '../options/sdk-types.js';
import { attributesSize, BYTES_PER_SPAN, entriesSize, textSize } from '../tracer/estimated-size.js';

// The size is a property of the span, because a weak map costs more than the estimate. It is estimated once, because an exporter
// may change the span, and the same number must be added and later subtracted.
const SIZE = Symbol('nestjs-tracing:size');

interface Sized {
  [SIZE]?: number;
  readonly estimatedSize?: number;
}

/**
 * Returns an estimate of the bytes of a finished span in Protocol Buffers or Thrift, without its resource. It is rather too high
 * than too low, and the same at each call. Never throws.
 */
export function spanSize(span: object): number {
  // A span of the library knows its size, and an encoded one its bytes.
  const { [SIZE]: known = (span as Sized).estimatedSize } = span as Sized;
  if (known !== undefined) return known;
  // The size cannot be stored with a frozen span.
  if (!Object.isExtensible(span)) return BYTES_PER_SPAN;
  return ((span as Sized)[SIZE] = estimate(span as ReadableSpan));
}

function estimate(span: ReadableSpan): number {
  try {
    const { name, attributes, events, links, status } = span;
    const texts = textSize(name) + textSize(status.message);
    return BYTES_PER_SPAN + texts + attributesSize(attributes) + entriesSize(events, links);
  } catch {
    // The application has put its own object in place of the span. Its exporter may support that.
    return BYTES_PER_SPAN;
  }
}
