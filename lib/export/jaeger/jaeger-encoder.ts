import { SpanKind, SpanStatusCode, type Attributes, type HrTime, type SpanContext } from '@opentelemetry/api';
import type { ReadableSpan } from '../../options/sdk-types.js';
import { processTags, serviceName, toThriftSpan, type ProcessTag } from '../exporters/thrift-span.js';
import type { EncodedSpan, OtlpEncoder } from '../otlp/encoded-span.js';
import { ThriftWriter } from './thrift-writer.js';

/** The fields of the structs in `jaeger.thrift`. */
const Batch = { PROCESS: 1, SPANS: 2 } as const;
const Process = { SERVICE_NAME: 1, TAGS: 2 } as const;
const Span = {
  TRACE_ID_LOW: 1,
  TRACE_ID_HIGH: 2,
  SPAN_ID: 3,
  PARENT_SPAN_ID: 4,
  OPERATION_NAME: 5,
  REFERENCES: 6,
  FLAGS: 7,
  START_TIME: 8,
  DURATION: 9,
  TAGS: 10,
  LOGS: 11,
} as const;
const Reference = { TYPE: 1, TRACE_ID_LOW: 2, TRACE_ID_HIGH: 3, SPAN_ID: 4 } as const;
const Log = { TIMESTAMP: 1, FIELDS: 2 } as const;
const Tag = { KEY: 1, TYPE: 2, STRING: 3, DOUBLE: 4, BOOLEAN: 5 } as const;

const TagType = { STRING: 0, DOUBLE: 1, BOOL: 2 } as const;
const FOLLOWS_FROM = 1;
const SAMPLED = 1;

/** A span as a struct of Thrift. */
export interface JaegerSpan extends EncodedSpan {
  readonly bytes: Buffer;
}

/** Encodes spans for a collector of Jaeger, with the content that the package `@opentelemetry/exporter-jaeger` gives them. */
export class JaegerEncoder implements OtlpEncoder<JaegerSpan> {
  readonly contentType = 'application/x-thrift';
  private readonly writer = new ThriftWriter();

  encodeSpan(span: ReadableSpan): JaegerSpan {
    const { writer } = this;
    try {
      writeSpan(writer, toThriftSpan(span));
    } catch (error) {
      writer.clear();
      throw error;
    }
    const bytes = writer.take();
    const { instrumentationScope, resource } = span;
    return { resource, instrumentationScope, estimatedSize: bytes.length, bytes };
  }

  /** The resource is that of the first span: all spans of an application have the same. */
  encodeRequest(spans: readonly JaegerSpan[]): Buffer {
    const [first] = spans;
    if (!first) throw new Error('a batch without spans');
    const { writer } = this;
    writer.struct(Batch.PROCESS);
    writer.text(Process.SERVICE_NAME, serviceName(first));
    writeTags(writer, Process.TAGS, processTags(first));
    writer.stop();
    writer.structs(Batch.SPANS, spans.length);
    for (const { bytes } of spans) writer.encoded(bytes);
    writer.stop();
    return writer.take();
  }
}

function writeSpan(writer: ThriftWriter, span: ReadableSpan): void {
  const { events, links, name, parentSpanContext } = span;
  const context = span.spanContext();
  writeTraceId(writer, Span.TRACE_ID_LOW, Span.TRACE_ID_HIGH, context);
  writer.long(Span.SPAN_ID, idOf(context.spanId));
  writer.long(Span.PARENT_SPAN_ID, idOf(parentSpanContext?.spanId || '0'));
  writer.text(Span.OPERATION_NAME, name);
  writer.structs(Span.REFERENCES, links.length);
  for (const link of links) writeReference(writer, link.context);
  writer.integer(Span.FLAGS, context.traceFlags || SAMPLED);
  writer.long(Span.START_TIME, microseconds(span.startTime));
  writer.long(Span.DURATION, microseconds(span.duration));
  writeTags(writer, Span.TAGS, tagsOf(span));
  writer.structs(Span.LOGS, events.length);
  for (const event of events) writeLog(writer, event);
  writer.stop();
}

function writeReference(writer: ThriftWriter, context: SpanContext): void {
  writer.integer(Reference.TYPE, FOLLOWS_FROM);
  writeTraceId(writer, Reference.TRACE_ID_LOW, Reference.TRACE_ID_HIGH, context);
  writer.long(Reference.SPAN_ID, idOf(context.spanId));
  writer.stop();
}

function writeTraceId(writer: ThriftWriter, low: number, high: number, { traceId }: SpanContext): void {
  const digits = traceId.padStart(32, '0');
  writer.long(low, idOf(digits.slice(16)));
  writer.long(high, idOf(digits.slice(0, 16)));
}

function writeLog(writer: ThriftWriter, event: ReadableSpan['events'][number]): void {
  const { attributes = {}, droppedAttributesCount, name, time } = event;
  const fields = [{ key: 'event', value: name }, ...tagsIn(attributes)];
  if (droppedAttributesCount)
    fields.push({ key: 'otel.event.dropped_attributes_count', value: droppedAttributesCount });
  writer.long(Log.TIMESTAMP, microseconds(time));
  writeTags(writer, Log.FIELDS, fields);
  writer.stop();
}

/** Returns the tags by which the specification of OpenTelemetry expresses the parts of a span that Jaeger does not have. */
function tagsOf(span: ReadableSpan): ProcessTag[] {
  const { kind, status } = span;
  const tags = tagsIn(span.attributes);
  if (status.code !== SpanStatusCode.UNSET) {
    tags.push({ key: 'otel.status_code', value: SpanStatusCode[status.code] });
    if (status.message) tags.push({ key: 'otel.status_description', value: status.message });
  }
  if (status.code === SpanStatusCode.ERROR) tags.push({ key: 'error', value: true });
  // The attributes of the copy have the kind INTERNAL already.
  if (kind !== SpanKind.INTERNAL) tags.push({ key: 'span.kind', value: SpanKind[kind].toLowerCase() });
  tags.push(...tagsIn(span.resource.attributes));
  for (const [key, value] of [
    ['otel.dropped_attributes_count', span.droppedAttributesCount],
    ['otel.dropped_events_count', span.droppedEventsCount],
    ['otel.dropped_links_count', span.droppedLinksCount],
  ] as const)
    if (value) tags.push({ key, value });
  return tags;
}

function tagsIn(attributes: Attributes): ProcessTag[] {
  return Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]));
}

function writeTags(writer: ThriftWriter, field: number, tags: readonly ProcessTag[]): void {
  writer.structs(field, tags.length);
  for (const { key, value } of tags) {
    writer.text(Tag.KEY, key);
    if (typeof value === 'number') {
      writer.integer(Tag.TYPE, TagType.DOUBLE);
      writer.double(Tag.DOUBLE, value);
    } else if (typeof value === 'boolean') {
      writer.integer(Tag.TYPE, TagType.BOOL);
      writer.boolean(Tag.BOOLEAN, value);
    } else {
      writer.integer(Tag.TYPE, TagType.STRING);
      writer.text(Tag.STRING, String(value));
    }
    writer.stop();
  }
}

function idOf(digits: string): bigint {
  return BigInt(`0x${digits}`);
}

function microseconds([seconds, nanoseconds]: HrTime): bigint {
  return BigInt(seconds) * 1_000_000n + BigInt(Math.floor(nanoseconds / 1000));
}
