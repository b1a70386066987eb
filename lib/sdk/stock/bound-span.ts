import { SpanStatusCode, type Attributes, type HrTime } from '@opentelemetry/api';
import { copyText, cutText } from '../../core/cut-text.js';
import type { ReadableSpan } from '../../options/sdk-types.js';
import { durationBetween, isBefore } from '../../tracer/clock.js';
import { isValidLink, type SpanEvent, type SpanLink } from '../../tracer/events-and-links.js';
import { withSerializableState } from '../../tracer/serializable-state.js';
import { toKind } from '../../tracer/span-kind.js';
import { toName } from '../../tracer/span-name.js';

/** The limits of an exported span, beyond those that the SDK applies. */
export interface SpanBounds {
  /** The maximal length of a string. The SDK cuts attributes at this length, and does not limit status messages. */
  readonly textLength: number;
}

/** The maximal number of elements of a list. */
const MAX_ELEMENTS = 1000;
/** The field of the SDK's span from which `duration` is read. */
const SDK_DURATION = '_duration';
/** The maximum of a time: exporters write nanoseconds as 64-bit integers. */
const MAX_SECONDS = 2 ** 33;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type MutableSpan = Mutable<ReadableSpan>;

/**
 * Makes a finished span safe to keep and to encode. Strings that the SDK has cut are copied, because V8 keeps the whole string for
 * a part of it; names, status messages and lists are limited. Values that no encoder can write, such as a name that is not a
 * string or a time that is not a number, are replaced or removed: the encoder would throw, and the whole batch would be lost.
 *
 * @throws TypeError if the application has frozen the span
 */
export function boundSpan(finished: ReadableSpan, bounds: SpanBounds): void {
  const span: MutableSpan = finished;
  boundName(span);
  const kind = toKind(span.kind);
  if (kind !== span.kind) span.kind = kind;
  boundStatus(span, bounds);
  boundTimes(span);
  boundScope(span.instrumentationScope);
  const context = span.spanContext();
  if (withSerializableState(context) !== context) delete context.traceState;
  boundAttributes(span.attributes, bounds);
  if (span.events.length > 0) boundEvents(span, bounds);
  if (span.links.length > 0) boundLinks(span, bounds);
}

function boundStatus(span: MutableSpan, { textLength }: SpanBounds): void {
  const { code, message } = span.status;
  if (code === SpanStatusCode.UNSET && message === undefined) return;
  const isCode = code === SpanStatusCode.OK || code === SpanStatusCode.ERROR || code === SpanStatusCode.UNSET;
  const isMessage = message === undefined || (typeof message === 'string' && message.length <= textLength);
  if (isCode && isMessage) return;
  span.status = { code: isCode ? code : SpanStatusCode.UNSET };
  if (typeof message === 'string') span.status.message = cutText(message, textLength);
}

function boundTimes(span: MutableSpan): void {
  if (isTime(span.startTime) && isTime(span.endTime) && isTime(span.duration)) return;
  const startTime = repairedTime(span.startTime) ?? repairedTime(span.endTime) ?? timeNow();
  const end = repairedTime(span.endTime) ?? startTime;
  const endTime = isBefore(end, startTime) ? startTime : end;
  span.startTime = startTime;
  span.endTime = endTime;
  // The SDK computes the duration once, and offers no other way to change it.
  if (SDK_DURATION in span) Reflect.set(span, SDK_DURATION, durationBetween(startTime, endTime));
}

/** Bounds the scope, which all spans of a tracer share. */
function boundScope(scope: Mutable<ReadableSpan['instrumentationScope']>): void {
  if (typeof scope.name !== 'string') scope.name = scope.name === undefined ? '' : toName(scope.name);
  if (scope.version !== undefined && typeof scope.version !== 'string') scope.version = toName(scope.version);
}

function boundAttributes(attributes: Attributes, bounds: SpanBounds): void {
  for (const key in attributes) {
    const value: unknown = attributes[key];
    if (needsBound(value, bounds)) attributes[key] = boundValue(value, bounds);
    else if (Array.isArray(value)) boundList(value, bounds);
  }
}

/** Bounds a list in place: the SDK has copied it from the application's. */
function boundList(list: unknown[], bounds: SpanBounds): void {
  if (list.length > MAX_ELEMENTS) list.length = MAX_ELEMENTS;
  for (let index = 0; index < list.length; index++) {
    if (needsBound(list[index], bounds)) list[index] = boundValue(list[index], bounds);
  }
}

/** True for a string of exactly the limit as well: the SDK may have cut it, so that V8 keeps the whole string. */
function needsBound(value: unknown, { textLength }: SpanBounds): boolean {
  switch (typeof value) {
    case 'string':
      return value.length >= textLength;
    case 'bigint':
    case 'symbol':
    case 'function':
      return true;
    default:
      return false;
  }
}

function boundValue(value: unknown, { textLength }: SpanBounds): string {
  if (typeof value !== 'string') return toName(value);
  return value.length > textLength ? cutText(value, textLength) : copyText(value);
}

function boundEvents(span: MutableSpan, bounds: SpanBounds): void {
  for (const event of span.events as Mutable<SpanEvent>[]) {
    boundName(event);
    if (!isTime(event.time)) event.time = repairedTime(event.time) ?? span.startTime;
    if (event.attributes) boundAttributes(event.attributes, bounds);
  }
}

function boundLinks(span: MutableSpan, bounds: SpanBounds): void {
  if (!span.links.every(isValidLink)) span.links = span.links.filter(isValidLink);
  for (const link of span.links as Mutable<SpanLink>[]) {
    link.context = withSerializableState(link.context);
    if (link.attributes) boundAttributes(link.attributes, bounds);
  }
}

/** Bounds the name of a span or an event. A name that stays is not assigned, because the application may have frozen the object. */
function boundName(named: { name: string }): void {
  const name = toName(named.name);
  if (name !== named.name) named.name = name;
}

function isTime(time: unknown): time is HrTime {
  if (!Array.isArray(time)) return false;
  const [seconds, nanoseconds] = time as unknown[];
  return isWithin(seconds, MAX_SECONDS) && isWithin(nanoseconds, 1e9);
}

function isWithin(value: unknown, maximum: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maximum;
}

/** Returns a time in integers: an application that creates times itself may give fractions. Undefined if it is not a time. */
function repairedTime(time: unknown): HrTime | undefined {
  if (!Array.isArray(time)) return undefined;
  const repaired = time.map((part) => Math.trunc(Number(part)));
  return isTime(repaired) ? repaired : undefined;
}

function timeNow(): HrTime {
  const now = Date.now();
  return [Math.trunc(now / 1000), (now % 1000) * 1e6];
}
