import type { HrTime, SpanContext, TraceState } from '@opentelemetry/api';
import type { ReadableSpan } from '../../options/sdk-types.js';
import { RecordedSpan } from '../../tracer/span.js';
import { AttributeWriter } from './attribute-writer.js';
import { spanFlags } from './span-flags.js';

/** Tags of `opentelemetry.proto.trace.v1`: the number of the field, shifted by three, and its wire type. */
const SCOPE_SPANS_SPANS = 0x12;
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

/** Writes spans of OTLP in Protocol Buffers. */
export class SpanWriter extends AttributeWriter {
  /** Writes a span as one of the spans of a scope. */
  span(span: ReadableSpan): void {
    const { attributes, kind, name, status } = span;
    const start = this.startMessage(SCOPE_SPANS_SPANS);
    const flags = span instanceof RecordedSpan ? this.words(span) : this.texts(span);
    this.text(SPAN_NAME, name);
    // The API counts kinds from 0, OTLP from 1.
    this.varint(SPAN_KIND, kind + 1);
    this.hrTime(SPAN_START_TIME, span.startTime);
    this.hrTime(SPAN_END_TIME, span.endTime);
    this.attributes(SPAN_ATTRIBUTES, attributes);
    this.count(SPAN_DROPPED_ATTRIBUTES, span.droppedAttributesCount);
    for (const event of span.events) this.event(event);
    this.count(SPAN_DROPPED_EVENTS, span.droppedEventsCount);
    for (const link of span.links) this.link(link);
    this.count(SPAN_DROPPED_LINKS, span.droppedLinksCount);
    if (status.code !== 0 || status.message) this.status(status);
    this.fixed32(SPAN_FLAGS, flags);
    this.endMessage(start);
  }

  /** Writes the ids of a span, whose text is never made. Returns its flags. */
  private words(span: RecordedSpan): number {
    const { word0, word1, word2, word3 } = span.trace.id;
    this.words4(SPAN_TRACE_ID, word0, word1, word2, word3);
    this.words2(SPAN_SPAN_ID, span.word0, span.word1);
    this.traceState(span.traceState);
    if (!span.hasParentOfLibrary) return this.parent(span.traceFlags, span.parentSpanContext);
    this.words2(SPAN_PARENT_SPAN_ID, span.parentWord0, span.parentWord1);
    return spanFlags(span.traceFlags, false);
  }

  /** Writes the ids of a span of another tracer. Returns its flags. */
  private texts(span: ReadableSpan): number {
    const { spanId, traceFlags, traceId, traceState } = span.spanContext();
    this.hex(SPAN_TRACE_ID, traceId);
    this.hex(SPAN_SPAN_ID, spanId);
    this.traceState(traceState);
    return this.parent(traceFlags, span.parentSpanContext);
  }

  private parent(traceFlags: number, parent: SpanContext | undefined): number {
    if (parent?.spanId) this.hex(SPAN_PARENT_SPAN_ID, parent.spanId);
    return spanFlags(traceFlags, parent?.isRemote);
  }

  private traceState(state: TraceState | undefined): void {
    const text = state?.serialize();
    if (text) this.text(SPAN_TRACE_STATE, text);
  }

  private status({ code, message }: ReadableSpan['status']): void {
    const start = this.startMessage(SPAN_STATUS);
    if (message) this.text(STATUS_MESSAGE, message);
    this.varint(STATUS_CODE, code);
    this.endMessage(start);
  }

  private event({ attributes, droppedAttributesCount, name, time }: ReadableSpan['events'][number]): void {
    const start = this.startMessage(SPAN_EVENTS);
    this.hrTime(EVENT_TIME, time);
    this.text(EVENT_NAME, name);
    if (attributes) this.attributes(EVENT_ATTRIBUTES, attributes);
    this.count(EVENT_DROPPED_ATTRIBUTES, droppedAttributesCount);
    this.endMessage(start);
  }

  private link({ attributes, context, droppedAttributesCount }: ReadableSpan['links'][number]): void {
    const start = this.startMessage(SPAN_LINKS);
    this.hex(LINK_TRACE_ID, context.traceId);
    this.hex(LINK_SPAN_ID, context.spanId);
    if (context.traceState) this.text(LINK_TRACE_STATE, context.traceState.serialize());
    if (attributes) this.attributes(LINK_ATTRIBUTES, attributes);
    this.count(LINK_DROPPED_ATTRIBUTES, droppedAttributesCount);
    this.fixed32(LINK_FLAGS, spanFlags(context.traceFlags, context.isRemote));
    this.endMessage(start);
  }

  private hrTime(tag: number, [seconds, nanoseconds]: HrTime): void {
    this.time(tag, seconds, nanoseconds);
  }

  /** Zero is the default, which is not written. */
  private count(tag: number, count: number | undefined): void {
    if (count) this.varint(tag, count);
  }
}
