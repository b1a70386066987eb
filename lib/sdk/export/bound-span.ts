import { SpanKind, SpanStatusCode, trace, type Attributes, type HrTime, type SpanContext } from '@opentelemetry/api';
import { copyText, cutText } from '../../core/cut-text.js';
import type { ReadableSpan } from '../../options/sdk-types.js';

/** Limits beyond those that the SDK keeps. */
export interface SpanBounds {
  /** Characters of a text: the SDK cuts attributes there, and leaves status messages as long as they are. */
  readonly textLength: number;
  /** Whether an exporter writes JSON, which has no NaN and no infinity: receivers refuse a batch with a null in their place. */
  readonly finiteNumbersOnly: boolean;
}

/** Characters of the name of a span or an event. */
const MAX_NAME = 1024;
/** Elements of a list. */
const MAX_ELEMENTS = 1000;
/** The field of the SDK's span behind `duration`. */
const SDK_DURATION = '_duration';
/** Exporters write nanoseconds as 64-bit integers. */
const MAX_SECONDS = 2 ** 33;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type MutableSpan = Mutable<ReadableSpan>;
type SpanEvent = ReadableSpan['events'][number];
type Link = ReadableSpan['links'][number];

/**
 * Makes a finished span safe to keep and to encode. Texts that the SDK has cut are copied, since they are views of what they
 * were cut from; names, status messages and lists get a limit. What no encoder can write, such as a name that is no text
 * or a time that is no number, is replaced or left out: an encoder would throw, and a whole batch be lost.
 *
 * @throws whatever writing to the span throws, where the application has frozen it
 */
export function boundSpan(finished: ReadableSpan, bounds: SpanBounds): void {
  const span: MutableSpan = finished;
  if (typeof span.name !== 'string' || span.name.length > MAX_NAME) span.name = boundName(span.name);
  if (!isKind(span.kind)) span.kind = SpanKind.INTERNAL;
  boundStatus(span, bounds);
  boundTimes(span);
  boundScope(span.instrumentationScope);
  const context = span.spanContext();
  if (hasBadTraceState(context)) delete context.traceState;
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
  if (SDK_DURATION in span) Reflect.set(span, SDK_DURATION, difference(startTime, endTime));
}

/** All spans of a tracer share it. */
function boundScope(scope: Mutable<ReadableSpan['instrumentationScope']>): void {
  if (typeof scope.name !== 'string') scope.name = scope.name === undefined ? '' : boundName(scope.name);
  if (scope.version !== undefined && typeof scope.version !== 'string') scope.version = boundName(scope.version);
}

function hasBadTraceState({ traceState }: SpanContext): boolean {
  return traceState !== undefined && typeof traceState?.serialize !== 'function';
}

function boundAttributes(attributes: Attributes, bounds: SpanBounds): void {
  for (const key in attributes) {
    const value: unknown = attributes[key];
    if (isUnbounded(value, bounds)) attributes[key] = boundValue(value, bounds);
    else if (Array.isArray(value)) boundList(value, bounds);
  }
}

/** The list is the span's own: the SDK copies what it is given. */
function boundList(list: unknown[], bounds: SpanBounds): void {
  if (list.length > MAX_ELEMENTS) list.length = MAX_ELEMENTS;
  for (let index = 0; index < list.length; index++) {
    if (isUnbounded(list[index], bounds)) list[index] = boundValue(list[index], bounds);
  }
}

/** A text at the limit counts too: it may be what the SDK has cut, a view of the whole text. */
function isUnbounded(value: unknown, { textLength, finiteNumbersOnly }: SpanBounds): boolean {
  switch (typeof value) {
    case 'string':
      return value.length >= textLength;
    case 'number':
      return finiteNumbersOnly && !Number.isFinite(value);
    case 'bigint':
    case 'symbol':
    case 'function':
      return true;
    default:
      return false;
  }
}

function boundValue(value: unknown, { textLength }: SpanBounds): string {
  if (typeof value !== 'string') return boundName(value);
  return value.length > textLength ? cutText(value, textLength) : copyText(value);
}

function boundEvents(span: MutableSpan, bounds: SpanBounds): void {
  for (const event of span.events as Mutable<SpanEvent>[]) {
    if (typeof event.name !== 'string' || event.name.length > MAX_NAME) event.name = boundName(event.name);
    if (!isTime(event.time)) event.time = repairedTime(event.time) ?? span.startTime;
    if (event.attributes) boundAttributes(event.attributes, bounds);
  }
}

function boundLinks(span: MutableSpan, bounds: SpanBounds): void {
  if (!span.links.every(hasContext)) span.links = span.links.filter(hasContext);
  for (const link of span.links as Mutable<Link>[]) {
    // The context is the application's own object.
    if (hasBadTraceState(link.context)) link.context = { ...link.context, traceState: undefined };
    if (link.attributes) boundAttributes(link.attributes, bounds);
  }
}

function hasContext({ context }: Link): boolean {
  const ids: Partial<SpanContext> = context ?? {};
  return typeof ids.traceId === 'string' && typeof ids.spanId === 'string' && trace.isSpanContextValid(context);
}

/** The text of anything that stands in the place of a name; never throws. */
function boundName(value: unknown): string {
  try {
    return cutText(String(value), MAX_NAME);
  } catch {
    return 'unknown';
  }
}

function isKind(kind: unknown): boolean {
  return typeof kind === 'number' && SpanKind[kind] !== undefined;
}

function isTime(time: unknown): time is HrTime {
  if (!Array.isArray(time)) return false;
  const [seconds, nanoseconds] = time as unknown[];
  return isWithin(seconds, MAX_SECONDS) && isWithin(nanoseconds, 1e9);
}

function isWithin(value: unknown, maximum: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maximum;
}

/** A time with fractions, which only those that make it themselves have. */
function repairedTime(time: unknown): HrTime | undefined {
  if (!Array.isArray(time)) return undefined;
  const repaired = time.map((part) => Math.trunc(Number(part)));
  return isTime(repaired) ? repaired : undefined;
}

function timeNow(): HrTime {
  const now = Date.now();
  return [Math.trunc(now / 1000), (now % 1000) * 1e6];
}

function isBefore(time: HrTime, other: HrTime): boolean {
  return time[0] < other[0] || (time[0] === other[0] && time[1] < other[1]);
}

function difference(from: HrTime, to: HrTime): HrTime {
  const seconds = to[0] - from[0];
  const nanoseconds = to[1] - from[1];
  return nanoseconds < 0 ? [seconds - 1, nanoseconds + 1e9] : [seconds, nanoseconds];
}
