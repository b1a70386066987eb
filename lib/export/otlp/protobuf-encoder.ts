import type { Buffer } from 'node:buffer';
import type { Attributes, HrTime, SpanContext, TraceState } from '@opentelemetry/api';
import type { ReadableSpan } from '../../options/sdk-types.js';
import { RecordedSpan } from '../../tracer/span.js';
import { groupSpans } from './group-spans.js';
import { ProtobufWriter } from './protobuf-writer.js';
import type { Pause } from './slices.js';
import { spanFlags } from './span-flags.js';

/** Tags of `opentelemetry.proto.trace.v1`: the number of the field, shifted by three, and its wire type. */
const RESOURCE_SPANS = 0x0a;
const RESOURCE_SPANS_RESOURCE = 0x0a;
const RESOURCE_SPANS_SCOPE_SPANS = 0x12;
const RESOURCE_SPANS_SCHEMA_URL = 0x1a;
const RESOURCE_ATTRIBUTES = 0x0a;
const SCOPE_SPANS_SCOPE = 0x0a;
const SCOPE_SPANS_SPANS = 0x12;
const SCOPE_SPANS_SCHEMA_URL = 0x1a;
const SCOPE_NAME = 0x0a;
const SCOPE_VERSION = 0x12;
const SCOPE_ATTRIBUTES = 0x1a;
const SPAN_TRACE_ID = 0x0a;
const SPAN_SPAN_ID = 0x12;
const SPAN_TRACE_STATE = 0x1a;
const SPAN_PARENT_SPAN_ID = 0x22;
const SPAN_NAME = 0x2a;
const SPAN_KIND = 0x30;
const SPAN_START_TIME = 0x39;
const SPAN_END_TIME = 0x41;
const SPAN_ATTRIBUTES = 0x4a;
const SPAN_DROPPED_ATTRIBUTES = 0x50;
const SPAN_EVENTS = 0x5a;
const SPAN_DROPPED_EVENTS = 0x60;
const SPAN_LINKS = 0x6a;
const SPAN_DROPPED_LINKS = 0x70;
const SPAN_STATUS = 0x7a;
const SPAN_FLAGS = (16 << 3) | 5;
const STATUS_MESSAGE = 0x12;
const STATUS_CODE = 0x18;
const EVENT_TIME = 0x09;
const EVENT_NAME = 0x12;
const EVENT_ATTRIBUTES = 0x1a;
const EVENT_DROPPED_ATTRIBUTES = 0x20;
const LINK_TRACE_ID = 0x0a;
const LINK_SPAN_ID = 0x12;
const LINK_TRACE_STATE = 0x1a;
const LINK_ATTRIBUTES = 0x22;
const LINK_DROPPED_ATTRIBUTES = 0x28;
const LINK_FLAGS = 0x35;
const KEY_VALUE_KEY = 0x0a;
const KEY_VALUE_VALUE = 0x12;
const VALUE_STRING = 0x0a;
const VALUE_BOOLEAN = 0x10;
const VALUE_INTEGER = 0x18;
const VALUE_DOUBLE = 0x21;
const VALUE_ARRAY = 0x2a;
const VALUE_KEY_VALUES = 0x32;
const VALUE_BYTES = 0x3a;
const LIST_VALUES = 0x0a;

/** Keys of attributes are few, and the same in every span. */
const MAX_CACHED_KEYS = 1024;

/** Encodes spans as an `ExportTraceServiceRequest` in binary Protocol Buffers. */
export class ProtobufEncoder {
  readonly contentType = 'application/x-protobuf';
  private readonly writer = new ProtobufWriter();
  private readonly keys = new Map<string, Uint8Array>();

  /** Encodes one request at a time: the next may start when the promise has settled. */
  async encode(spans: readonly ReadableSpan[], pause: Pause): Promise<Buffer> {
    const { writer } = this;
    writer.reset();
    for (const { resource, scopes } of groupSpans(spans)) {
      const resourceSpans = writer.startMessage(RESOURCE_SPANS);
      this.resource(resource);
      for (const { scope, spans: ofScope } of scopes) {
        const scopeSpans = writer.startMessage(RESOURCE_SPANS_SCOPE_SPANS);
        this.scope(scope);
        for (const span of ofScope) {
          this.span(span);
          const paused = pause();
          if (paused) await paused;
        }
        if (scope.schemaUrl) writer.text(SCOPE_SPANS_SCHEMA_URL, scope.schemaUrl);
        writer.endMessage(scopeSpans);
      }
      if (resource.schemaUrl) writer.text(RESOURCE_SPANS_SCHEMA_URL, resource.schemaUrl);
      writer.endMessage(resourceSpans);
    }
    return writer.finish();
  }

  private resource({ attributes }: ReadableSpan['resource']): void {
    const start = this.writer.startMessage(RESOURCE_SPANS_RESOURCE);
    this.attributes(RESOURCE_ATTRIBUTES, attributes);
    this.writer.endMessage(start);
  }

  private scope(scope: ReadableSpan['instrumentationScope']): void {
    const { writer } = this;
    const { attributes } = scope as { attributes?: Attributes };
    const start = writer.startMessage(SCOPE_SPANS_SCOPE);
    writer.text(SCOPE_NAME, scope.name);
    if (scope.version) writer.text(SCOPE_VERSION, scope.version);
    if (attributes) this.attributes(SCOPE_ATTRIBUTES, attributes);
    writer.endMessage(start);
  }

  private span(span: ReadableSpan): void {
    const { writer } = this;
    const { attributes, kind, name, status } = span;
    const start = writer.startMessage(SCOPE_SPANS_SPANS);
    const flags = span instanceof RecordedSpan ? this.words(span) : this.texts(span);
    writer.text(SPAN_NAME, name);
    // The API counts kinds from 0, OTLP from 1.
    writer.varint(SPAN_KIND, kind + 1);
    this.time(SPAN_START_TIME, span.startTime);
    this.time(SPAN_END_TIME, span.endTime);
    this.attributes(SPAN_ATTRIBUTES, attributes);
    this.count(SPAN_DROPPED_ATTRIBUTES, span.droppedAttributesCount);
    for (const event of span.events) this.event(event);
    this.count(SPAN_DROPPED_EVENTS, span.droppedEventsCount);
    for (const link of span.links) this.link(link);
    this.count(SPAN_DROPPED_LINKS, span.droppedLinksCount);
    if (status.code !== 0 || status.message) this.status(status);
    writer.fixed32(SPAN_FLAGS, flags);
    writer.endMessage(start);
  }

  /** Writes the ids of a span, whose text is never made. Returns its flags. */
  private words(span: RecordedSpan): number {
    const { writer } = this;
    const { word0, word1, word2, word3 } = span.trace.id;
    writer.words4(SPAN_TRACE_ID, word0, word1, word2, word3);
    writer.words2(SPAN_SPAN_ID, span.word0, span.word1);
    this.traceState(span.traceState);
    if (!span.hasParentOfLibrary) return this.parent(span.traceFlags, span.parentSpanContext);
    writer.words2(SPAN_PARENT_SPAN_ID, span.parentWord0, span.parentWord1);
    return spanFlags(span.traceFlags, false);
  }

  /** Writes the ids of a span of another tracer. Returns its flags. */
  private texts(span: ReadableSpan): number {
    const { spanId, traceFlags, traceId, traceState } = span.spanContext();
    this.writer.hex(SPAN_TRACE_ID, traceId);
    this.writer.hex(SPAN_SPAN_ID, spanId);
    this.traceState(traceState);
    return this.parent(traceFlags, span.parentSpanContext);
  }

  private parent(traceFlags: number, parent: SpanContext | undefined): number {
    if (parent?.spanId) this.writer.hex(SPAN_PARENT_SPAN_ID, parent.spanId);
    return spanFlags(traceFlags, parent?.isRemote);
  }

  private traceState(state: TraceState | undefined): void {
    const text = state?.serialize();
    if (text) this.writer.text(SPAN_TRACE_STATE, text);
  }

  private status({ code, message }: ReadableSpan['status']): void {
    const start = this.writer.startMessage(SPAN_STATUS);
    if (message) this.writer.text(STATUS_MESSAGE, message);
    this.writer.varint(STATUS_CODE, code);
    this.writer.endMessage(start);
  }

  private event({ attributes, droppedAttributesCount, name, time }: ReadableSpan['events'][number]): void {
    const start = this.writer.startMessage(SPAN_EVENTS);
    this.time(EVENT_TIME, time);
    this.writer.text(EVENT_NAME, name);
    if (attributes) this.attributes(EVENT_ATTRIBUTES, attributes);
    this.count(EVENT_DROPPED_ATTRIBUTES, droppedAttributesCount);
    this.writer.endMessage(start);
  }

  private link({ attributes, context, droppedAttributesCount }: ReadableSpan['links'][number]): void {
    const { writer } = this;
    const start = writer.startMessage(SPAN_LINKS);
    writer.hex(LINK_TRACE_ID, context.traceId);
    writer.hex(LINK_SPAN_ID, context.spanId);
    if (context.traceState) writer.text(LINK_TRACE_STATE, context.traceState.serialize());
    if (attributes) this.attributes(LINK_ATTRIBUTES, attributes);
    this.count(LINK_DROPPED_ATTRIBUTES, droppedAttributesCount);
    writer.fixed32(LINK_FLAGS, spanFlags(context.traceFlags, context.isRemote));
    writer.endMessage(start);
  }

  private time(tag: number, [seconds, nanoseconds]: HrTime): void {
    this.writer.time(tag, seconds, nanoseconds);
  }

  /** Zero is the default, which is not written. */
  private count(tag: number, count: number | undefined): void {
    if (count) this.writer.varint(tag, count);
  }

  private attributes(tag: number, attributes: object): void {
    const { writer } = this;
    for (const key in attributes) {
      const value: unknown = attributes[key as keyof typeof attributes];
      if (value === undefined) continue;
      const start = writer.startMessage(tag);
      writer.encoded(this.key(key));
      this.value(KEY_VALUE_VALUE, value);
      writer.endMessage(start);
    }
  }

  private key(key: string): Uint8Array {
    let encoded = this.keys.get(key);
    if (!encoded) {
      const writer = new ProtobufWriter(key.length * 3 + 7);
      writer.text(KEY_VALUE_KEY, key);
      encoded = writer.finish();
      if (this.keys.size < MAX_CACHED_KEYS) this.keys.set(key, encoded);
    }
    return encoded;
  }

  private value(tag: number, value: unknown): void {
    const { writer } = this;
    const start = writer.startMessage(tag);
    if (typeof value === 'string') writer.text(VALUE_STRING, value);
    else if (typeof value === 'number') this.number(value);
    else if (typeof value === 'boolean') writer.varint(VALUE_BOOLEAN, Number(value));
    else if (value instanceof Uint8Array) writer.bytes(VALUE_BYTES, value);
    else if (typeof value === 'object' && value !== null) this.composite(value);
    writer.endMessage(start);
  }

  private number(value: number): void {
    if (Number.isSafeInteger(value)) this.writer.varint(VALUE_INTEGER, value);
    else this.writer.double(VALUE_DOUBLE, value);
  }

  private composite(value: object): void {
    const { writer } = this;
    const start = writer.startMessage(Array.isArray(value) ? VALUE_ARRAY : VALUE_KEY_VALUES);
    if (Array.isArray(value)) for (const element of value as unknown[]) this.value(LIST_VALUES, element);
    else this.attributes(LIST_VALUES, value);
    writer.endMessage(start);
  }
}
