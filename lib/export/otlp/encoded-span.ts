import type { ReadableSpan } from '../../options/sdk-types.js';

/** A span that is encoded, apart from the resource and the scope that it shares with others. */
export interface EncodedSpan {
  readonly resource: ReadableSpan['resource'];
  readonly instrumentationScope: ReadableSpan['instrumentationScope'];
  /** The bytes that the span takes in a message. */
  readonly estimatedSize: number;
}

/**
 * Encodes messages of OTLP. A span is encoded as soon as it has ended: while its parts are in the cache of the processor, and so that the
 * queue holds bytes, which cost the garbage collector nothing, in place of objects, each of which it would move twice.
 */
export interface OtlpEncoder<Encoded extends EncodedSpan> {
  readonly contentType: string;
  /** @throws if the span has parts that cannot be encoded */
  encodeSpan(span: ReadableSpan): Encoded;
  /** Returns an `ExportTraceServiceRequest` with these spans. */
  encodeRequest(spans: readonly Encoded[]): Buffer;
  /** Takes back the memory of a message that has left. */
  releaseRequest?(request: Buffer): void;
  /** Takes back the memory of spans whose export is over. */
  releaseSpans?(spans: readonly Encoded[]): void;
}
