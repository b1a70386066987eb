// oxlint-disable eslint/no-underscore-dangle -- fields of the SDK, which has no other way to learn when a span started.
import { trace, type Context, type HrTime } from '@opentelemetry/api';
import { addMilliseconds, millisecondsBetween, wallTime } from './clock.js';
import { EarlySpan } from './early-span.js';
import type { SpanProcessor } from './types.js';

/**
 * The clock of the SDK's span. The span starts at the whole milliseconds of `Date.now()`, when the monotonic clock shows
 * `_performanceStartTime`, and measures its events and its end from there. Times that the application gives as readings of the
 * monotonic clock are moved by `_performanceOffset`. Where the application has given the start, events and end are at whole
 * milliseconds as well.
 */
interface SdkSpan {
  startTime: HrTime;
  _performanceStartTime: number;
  _performanceOffset: number;
  _startTimeProvided: boolean;
}

/** A span that is older than the wall clock says by this much, in milliseconds, has lived through a change of that clock. */
const MAX_DRIFT = 1000;

/**
 * Gives spans that start now, and events and ends of all spans, their times to the microsecond. Spans of one trace in this
 * process share a clock that only moves forward, so that a child never starts before its parent and siblings keep their order.
 */
export const preciseTimes: SpanProcessor = {
  onStart(span, parent) {
    // A release of the SDK in which these fields are different keeps its own times.
    if (!isSdkSpan(span)) return;
    if (span._startTimeProvided) measureFromGivenStart(span);
    else setStart(span, preciseStart(span._performanceStartTime, localParent(parent)));
  },
  onEnd() {},
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

function setStart(span: SdkSpan, start: HrTime): void {
  span._performanceOffset += millisecondsBetween(span.startTime, start);
  span.startTime = start;
}

function preciseStart(monotonic: number, parent: SdkSpan | undefined): HrTime {
  const now = wallTime(monotonic);
  if (!parent) return now;
  const byParent = addMilliseconds(parent.startTime, monotonic - parent._performanceStartTime);
  const drift = millisecondsBetween(byParent, now);
  // A clock that was set back would have the child start before its parent. After a sleep of the machine, in which the
  // monotonic clock stands still, the child starts when it does.
  return drift < MAX_DRIFT ? byParent : now;
}

/** Has the span's events and end measured from the moment at which the monotonic clock showed the start that was given. */
function measureFromGivenStart(span: SdkSpan): void {
  const monotonic = span._performanceStartTime;
  const elapsed = millisecondsBetween(span.startTime, wallTime(monotonic));
  if (!Number.isFinite(elapsed)) return;
  span._performanceStartTime = monotonic - elapsed;
  span._startTimeProvided = false;
}

/** The span around, if it is one of this process and of the SDK. */
function localParent(parent: Context): SdkSpan | undefined {
  const around = trace.getSpan(parent);
  const span = around && EarlySpan.realSpanOf(around);
  return span && isSdkSpan(span) ? span : undefined;
}

function isSdkSpan<T extends object>(span: T): span is T & SdkSpan {
  const { startTime, _performanceStartTime, _performanceOffset, _startTimeProvided } = span as Partial<SdkSpan>;
  return (
    typeof _performanceStartTime === 'number' &&
    typeof _performanceOffset === 'number' &&
    typeof _startTimeProvided === 'boolean' &&
    Array.isArray(startTime)
  );
}
