import { Buffer } from 'node:buffer';
import type { Attributes, HrTime } from '@opentelemetry/api';
import type { ReadableSpan } from '../../options/sdk-types.js';
import type { EncodedSpan, OtlpEncoder } from './encoded-span.js';
import { groupSpans } from './group-spans.js';
import { spanFlags } from './span-flags.js';

/** A span as a text. */
export interface JsonSpan extends EncodedSpan {
  readonly json: string;
}

/** Encodes spans in the JSON of OTLP: ids in hexadecimal, 64-bit integers as texts. */
export class JsonEncoder implements OtlpEncoder<JsonSpan> {
  readonly contentType = 'application/json';

  encodeSpan(span: ReadableSpan): JsonSpan {
    const { instrumentationScope, resource } = span;
    const json = JSON.stringify(spanOf(span));
    return { resource, instrumentationScope, estimatedSize: Buffer.byteLength(json), json };
  }

  encodeRequest(spans: readonly JsonSpan[]): Buffer {
    const resourceSpans = groupSpans(spans).map(({ resource, scopes }) => {
      const scopeSpans = scopes.map(({ scope, spans: ofScope }) => {
        const { attributes, name, schemaUrl, version } = scope as typeof scope & { attributes?: Attributes };
        const scopeJson = JSON.stringify({ name, version, attributes: attributes && keyValues(attributes) });
        const spansJson = ofScope.map(({ json }) => json).join();
        return `{"scope":${scopeJson},"spans":[${spansJson}]${schemaUrlJson(schemaUrl)}}`;
      });
      const resourceJson = JSON.stringify({ attributes: keyValues(resource.attributes), droppedAttributesCount: 0 });
      return `{"resource":${resourceJson},"scopeSpans":[${scopeSpans.join()}]${schemaUrlJson(resource.schemaUrl)}}`;
    });
    return Buffer.from(`{"resourceSpans":[${resourceSpans.join()}]}`);
  }
}

function schemaUrlJson(schemaUrl: string | undefined): string {
  return schemaUrl ? `,"schemaUrl":${JSON.stringify(schemaUrl)}` : '';
}

function spanOf(span: ReadableSpan): object {
  const { parentSpanContext, status } = span;
  const { spanId, traceFlags, traceId, traceState } = span.spanContext();
  return {
    traceId,
    spanId,
    traceState: traceState?.serialize(),
    parentSpanId: parentSpanContext?.spanId || undefined,
    name: span.name,
    // The API counts kinds from 0, OTLP from 1.
    kind: span.kind + 1,
    startTimeUnixNano: nanoseconds(span.startTime),
    endTimeUnixNano: nanoseconds(span.endTime),
    attributes: keyValues(span.attributes),
    droppedAttributesCount: span.droppedAttributesCount,
    events: span.events.map((event) => ({
      timeUnixNano: nanoseconds(event.time),
      name: event.name,
      attributes: keyValues(event.attributes ?? {}),
      droppedAttributesCount: event.droppedAttributesCount ?? 0,
    })),
    droppedEventsCount: span.droppedEventsCount,
    links: span.links.map(({ attributes, context, droppedAttributesCount }) => ({
      traceId: context.traceId,
      spanId: context.spanId,
      traceState: context.traceState?.serialize(),
      attributes: keyValues(attributes ?? {}),
      droppedAttributesCount: droppedAttributesCount ?? 0,
      flags: spanFlags(context.traceFlags, context.isRemote),
    })),
    droppedLinksCount: span.droppedLinksCount,
    status: { code: status.code, message: status.message },
    flags: spanFlags(traceFlags, parentSpanContext?.isRemote),
  };
}

/** A number has too few bits for nanoseconds since 1970, so the digits are put together. */
function nanoseconds([seconds, rest]: HrTime): string {
  // A time that the application has rounded may have a whole second of nanoseconds.
  if (rest >= 1e9) return String(BigInt(seconds) * 1_000_000_000n + BigInt(rest));
  return seconds === 0 ? String(rest) : `${seconds}${String(rest).padStart(9, '0')}`;
}

function keyValues(attributes: object): object[] {
  const found: object[] = [];
  for (const [key, value] of Object.entries(attributes) as [string, unknown][]) {
    if (value !== undefined) found.push({ key, value: valueOf(value) });
  }
  return found;
}

function valueOf(value: unknown): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return numberOf(value);
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return { arrayValue: { values: Array.from(value, valueOf) } };
  if (typeof value === 'object' && value !== null) return { kvlistValue: { values: keyValues(value) } };
  return {};
}

function numberOf(value: number): object {
  if (Number.isSafeInteger(value)) return { intValue: String(value) };
  // JSON has no NaN and no infinity: receivers refuse a batch with a null in their place.
  return Number.isFinite(value) ? { doubleValue: value } : { stringValue: String(value) };
}
