import type { ReadableSpan } from '../../options/sdk-types.js';

/** A span that is encoded, apart from the resource and the scope that it shares with others. */
export interface EncodedSpan {
  readonly resource: ReadableSpan['resource'];
  readonly instrumentationScope: ReadableSpan['instrumentationScope'];
  /** The bytes that the span takes in a message. */
  readonly estimatedSize: number;
}

/**
 * Encodes messages of OTLP.
 *
 * @typeParam Item the form in which a part of the message waits
 */
export interface MessageEncoder<Item> {
  readonly contentType: string;
  /**
   * Returns a request with these items.
   *
   * @throws if one of them cannot be encoded
   */
  encodeRequest(items: readonly Item[]): Buffer;
  /** Takes back the memory of a message that has left. */
  releaseRequest?(request: Buffer): void;
  /** Takes back the memory of items whose export is over. */
  releaseSpans?(spans: readonly Item[]): void;
}

/**
 * Encodes messages of spans. A span is encoded as soon as it has ended: while its parts are in the cache of the processor, and so that the
 * queue holds bytes, which cost the garbage collector nothing, in place of objects, each of which it would move twice.
 */
export interface OtlpEncoder<Encoded extends EncodedSpan> extends MessageEncoder<Encoded> {
  /** @throws if the span has parts that cannot be encoded */
  encodeSpan(span: ReadableSpan): Encoded;
}
