// oxlint-disable eslint/no-underscore-dangle -- fields of the SDK, which has no other way to learn when a span started.
import { trace, type HrTime, type Span } from '@opentelemetry/api';
import { currentClock, millisecondsBetween } from '../../tracer/clock.js';
import { IdentifiedSpan } from '../../tracer/identified-span.js';
import type { SpanProcessor } from '../../options/sdk-types.js';

/**
 * The clock of the SDK's span. The span starts at the whole milliseconds of `Date.now()`, when the monotonic clock shows
 * `_performanceStartTime`, and measures its events and its end from there. `_performanceOffset` is added to times that the
 * application gives as readings of the monotonic clock. If the application has given the start, events and the end are at whole
 * milliseconds as well.
 */
interface SdkSpan {
  startTime: HrTime;
  _performanceStartTime: number;
  _performanceOffset: number;
  _startTimeProvided: boolean;
}

/** The difference between the clock of a span and the wall clock, in milliseconds, that shows that the wall clock was set. */
const MAX_DRIFT = 1000;

/**
 * Gives spans their start, their events and their end to the microsecond, except for times that the application gives. Spans of one
 * trace in this process share a clock that only moves forward, so that a child never starts before its parent, and siblings keep
 * their order.
 */
export const preciseTimes: SpanProcessor = {
  onStart(span, parent) {
    // In a release of the SDK without these fields, spans keep the times of the SDK.
    if (!isSdkSpan(span)) return;
    if (span._startTimeProvided) measureFromGivenStart(span);
    else setStart(span, preciseStart(span._performanceStartTime, trace.getSpan(parent)));
  },
  onEnd() {},
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

function setStart(span: SdkSpan, start: HrTime): void {
  span._performanceOffset += millisecondsBetween(span.startTime, start);
  span.startTime = start;
}

function preciseStart(monotonic: number, parent: Span | undefined): HrTime {
  const now = currentClock(monotonic).wallTime(monotonic);
  const byParent = timeByClockOf(parent, monotonic);
  if (!byParent) return now;
  const drift = millisecondsBetween(byParent, now);
  // By a wall clock that was set back, the child would start before its parent. After a sleep of the machine, in which the
  // monotonic clock stands still, the child starts by the wall clock.
  return drift < MAX_DRIFT ? byParent : now;
}

/** Returns a time by the clock of the parent, if it is a span in this process. The parent may have started before the options were known. */
function timeByClockOf(parent: Span | undefined, monotonic: number): HrTime | undefined {
  if (parent instanceof IdentifiedSpan) return parent.trace.clock.wallTime(monotonic);
  if (!parent || !isSdkSpan(parent)) return undefined;
  return addMilliseconds(parent.startTime, monotonic - parent._performanceStartTime);
}

/** Makes the span measure its events and its end from the monotonic time of the start that the application has given. */
function measureFromGivenStart(span: SdkSpan): void {
  const monotonic = span._performanceStartTime;
  const elapsed = millisecondsBetween(span.startTime, currentClock(monotonic).wallTime(monotonic));
  if (!Number.isFinite(elapsed)) return;
  span._performanceStartTime = monotonic - elapsed;
  span._startTimeProvided = false;
}

/** Returns the time that is a number of milliseconds later. */
function addMilliseconds([seconds, nanoseconds]: HrTime, milliseconds: number): HrTime {
  const total = nanoseconds + Math.round(milliseconds * 1e6);
  const carried = Math.floor(total / 1e9);
  return [seconds + carried, total - carried * 1e9];
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
