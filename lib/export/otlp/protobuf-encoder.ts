import { Buffer } from 'node:buffer';
import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan } from '../../options/sdk-types.js';
import { returnBuffer } from './buffer-pool.js';
import type { EncodedSpan, OtlpEncoder } from './encoded-span.js';
import { groupSpans } from './group-spans.js';
import { SpanWriter } from './span-writer.js';

/** Tags of `opentelemetry.proto.trace.v1`: the number of the field, shifted by three, and its wire type. */
const RESOURCE_SPANS = 0x0a;
const RESOURCE_SPANS_RESOURCE = 0x0a;
const RESOURCE_SPANS_SCOPE_SPANS = 0x12;
const RESOURCE_SPANS_SCHEMA_URL = 0x1a;
const RESOURCE_ATTRIBUTES = 0x0a;
const SCOPE_SPANS_SCOPE = 0x0a;
const SCOPE_SPANS_SCHEMA_URL = 0x1a;
const SCOPE_NAME = 0x0a;
const SCOPE_VERSION = 0x12;
const SCOPE_ATTRIBUTES = 0x1a;

/** The size of the buffers into which spans are encoded. */
const BUFFER_SIZE = 64 * 1024;
/** A new buffer is started if less than this is left, so that most spans fit without being copied. */
const MIN_ROOM = 4 * 1024;
/** Bytes that a message needs for the lengths of its parts, beside the parts. */
const OVERHEAD = 256;

/** A buffer with the spans that were encoded one after the other. */
interface SpanBuffer {
  readonly writer: SpanWriter;
  /** Spans in the buffer whose export is not over. */
  spansLeft: number;
}

/** A span in a buffer that it shares with others. */
export interface ProtobufSpan extends EncodedSpan {
  readonly buffer: SpanBuffer;
  readonly start: number;
  readonly end: number;
}

/** Encodes spans in binary Protocol Buffers. */
export class ProtobufEncoder implements OtlpEncoder<ProtobufSpan> {
  readonly contentType = 'application/x-protobuf';
  private current = createSpanBuffer();

  encodeSpan(span: ReadableSpan): ProtobufSpan {
    if (this.current.writer.length > BUFFER_SIZE - MIN_ROOM) this.startBuffer();
    const { current: buffer } = this;
    const { writer } = buffer;
    const start = writer.length;
    try {
      writer.span(span);
    } catch (error) {
      // The buffer ends with a part of the span.
      this.current = createSpanBuffer();
      throw error;
    }
    buffer.spansLeft++;
    const { instrumentationScope, resource } = span;
    const end = writer.length;
    return { resource, instrumentationScope, estimatedSize: end - start, buffer, start, end };
  }

  encodeRequest(spans: readonly ProtobufSpan[]): Buffer {
    const size = spans.reduce((sum, { estimatedSize }) => sum + estimatedSize, OVERHEAD);
    const writer = new SpanWriter(size);
    for (const { resource, scopes } of groupSpans(spans)) {
      const resourceSpans = writer.startMessage(RESOURCE_SPANS);
      writeResource(writer, resource);
      for (const { scope, spans: ofScope } of scopes) {
        const scopeSpans = writer.startMessage(RESOURCE_SPANS_SCOPE_SPANS);
        writeScope(writer, scope);
        copySpans(writer, ofScope);
        if (scope.schemaUrl) writer.text(SCOPE_SPANS_SCHEMA_URL, scope.schemaUrl);
        writer.endMessage(scopeSpans);
      }
      if (resource.schemaUrl) writer.text(RESOURCE_SPANS_SCHEMA_URL, resource.schemaUrl);
      writer.endMessage(resourceSpans);
    }
    return writer.written;
  }

  releaseRequest(request: Buffer): void {
    returnBuffer(Buffer.from(request.buffer));
  }

  releaseSpans(spans: readonly ProtobufSpan[]): void {
    for (const { buffer } of spans) {
      if (--buffer.spansLeft === 0 && buffer !== this.current) returnBuffer(buffer.writer.current);
    }
  }

  private startBuffer(): void {
    const { current } = this;
    this.current = createSpanBuffer();
    if (current.spansLeft === 0) returnBuffer(current.writer.current);
  }
}

function createSpanBuffer(): SpanBuffer {
  return { writer: new SpanWriter(BUFFER_SIZE), spansLeft: 0 };
}

function writeResource(writer: SpanWriter, { attributes }: ReadableSpan['resource']): void {
  const start = writer.startMessage(RESOURCE_SPANS_RESOURCE);
  writer.attributes(RESOURCE_ATTRIBUTES, attributes);
  writer.endMessage(start);
}

function writeScope(writer: SpanWriter, scope: ReadableSpan['instrumentationScope']): void {
  const { attributes } = scope as { attributes?: Attributes };
  const start = writer.startMessage(SCOPE_SPANS_SCOPE);
  writer.text(SCOPE_NAME, scope.name);
  if (scope.version) writer.text(SCOPE_VERSION, scope.version);
  if (attributes) writer.attributes(SCOPE_ATTRIBUTES, attributes);
  writer.endMessage(start);
}

/** Copies encoded spans, as many at a time as stand one after the other. */
function copySpans(writer: SpanWriter, spans: readonly ProtobufSpan[]): void {
  let from: ProtobufSpan | undefined;
  let end = 0;
  for (const span of spans) {
    if (from && span.buffer === from.buffer && span.start === end) {
      end = span.end;
      continue;
    }
    if (from) writer.copy(from.buffer.writer.current, from.start, end);
    from = span;
    ({ end } = span);
  }
  if (from) writer.copy(from.buffer.writer.current, from.start, end);
}
