import type { HrTime, TimeInput } from '@opentelemetry/api';

/** The time by which a clock may be behind the wall clock, in milliseconds. */
const MAX_DRIFT = 1000;

/**
 * A clock that only moves forward: the monotonic clock (`performance.now()`, in milliseconds) from a fixed origin on. The spans of one trace
 * in this process share a clock, so that a child never starts before its parent, and siblings keep their order.
 */
export class Clock {
  /** @param originWhole whole milliseconds since the epoch at which the monotonic clock was zero */
  protected constructor(
    private readonly originWhole: number,
    /** The fraction is apart, because one number would resolve it to a quarter of a microsecond only. */
    private readonly originFraction: number,
  ) {}

  static startingAt(origin: number): Clock {
    const whole = Math.floor(origin);
    return new Clock(whole, origin - whole);
  }

  /** Returns the time of the wall clock, to the nanosecond, for a reading of the monotonic clock. */
  wallTime(monotonic: number): HrTime {
    const sinceOrigin = monotonic + this.originFraction;
    const whole = Math.floor(sinceOrigin);
    const milliseconds = this.originWhole + whole;
    const seconds = Math.floor(milliseconds / 1000);
    const nanoseconds = (milliseconds - seconds * 1000) * 1e6 + Math.floor((sinceOrigin - whole) * 1e6);
    return [seconds, nanoseconds];
  }

  /** Returns the reading of the monotonic clock at a time of the wall clock. */
  monotonicAt([seconds, nanoseconds]: HrTime): number {
    return seconds * 1000 - this.originWhole + (nanoseconds / 1e6 - this.originFraction);
  }

  /**
   * True if the clock is behind the wall clock: the machine has slept, during which the monotonic clock stands still. A wall clock that was
   * set back has no effect, because by it a child would start before its parent.
   */
  isBehind(monotonic: number): boolean {
    return Date.now() - (this.originWhole + monotonic) > MAX_DRIFT;
  }

  /**
   * Returns this clock if it agrees with the wall clock, else one that does. `Date.now()` returns whole milliseconds, rounded down. As long
   * as the origin agrees with it, there is no better origin. The process may have been stopped between two calls, so it is only known that
   * the wall clock was read between two readings of the monotonic clock.
   */
  corrected(before: number): Clock {
    const wall = Date.now();
    const after = performance.now();
    const origin = this.originWhole + this.originFraction;
    if (origin + after < wall) return Clock.startingAt(wall - after);
    if (origin + before >= wall + 1) return Clock.startingAt(wall + 0.999 - before);
    return this;
  }
}

/** The clock of a test: it always shows the same time. */
class StoppedClock extends Clock {
  constructor(private readonly time: number) {
    super(Math.floor(performance.timeOrigin), 0);
  }

  override wallTime(): HrTime {
    return fromMilliseconds(this.time);
  }

  override isBehind(): boolean {
    return false;
  }
}

let newest = Clock.startingAt(performance.timeOrigin);
let stopped: StoppedClock | undefined;

/** Gives all traces that begin from now on the same time. @param time undefined to let the clock run again */
export function stopClock(time: number | undefined): void {
  stopped = time === undefined ? undefined : new StoppedClock(time);
}

/**
 * Returns the clock of a trace that begins. It differs from `Date.now()` by less than a millisecond.
 *
 * @param monotonic a reading of the monotonic clock that was just taken
 */
export function currentClock(monotonic: number): Clock {
  return stopped ?? (newest = newest.corrected(monotonic));
}

/** Returns the milliseconds from one time to another, with fractions. */
export function millisecondsBetween(from: HrTime, to: HrTime): number {
  return (to[0] - from[0]) * 1e3 + (to[1] - from[1]) / 1e6;
}

/** Returns the time from one time to another. */
export function durationBetween(from: HrTime, to: HrTime): HrTime {
  const seconds = to[0] - from[0];
  const nanoseconds = to[1] - from[1];
  return nanoseconds < 0 ? [seconds - 1, nanoseconds + 1e9] : [seconds, nanoseconds];
}

/** True if one time is before another. */
export function isBefore(time: HrTime, other: HrTime): boolean {
  return time[0] < other[0] || (time[0] === other[0] && time[1] < other[1]);
}

/** True for a time as the API accepts it. */
export function isTimeInput(value: unknown): value is TimeInput {
  return typeof value === 'number' || value instanceof Date || isHrTime(value);
}

/** Returns a time that the application gives. Undefined if it is none that can be exported, so that the clock is read instead. */
export function givenTime(time: TimeInput | undefined, clock: Clock): HrTime | undefined {
  if (time === undefined) return undefined;
  const converted = convert(time, clock);
  return converted && isExportable(converted) ? converted : undefined;
}

function convert(time: TimeInput, clock: Clock): HrTime | undefined {
  // A number that the monotonic clock has reached is a reading of it, as for the SDK; a larger one counts milliseconds since the epoch.
  if (typeof time === 'number') return time <= performance.now() ? clock.wallTime(time) : fromMilliseconds(time);
  if (time instanceof Date) return fromMilliseconds(time.getTime());
  // An application that calculates times itself may give fractions.
  return isHrTime(time) ? [Math.trunc(time[0]), Math.trunc(time[1])] : undefined;
}

function fromMilliseconds(milliseconds: number): HrTime {
  const seconds = Math.trunc(milliseconds / 1000);
  return [seconds, Math.round((milliseconds % 1000) * 1e6)];
}

function isHrTime(value: unknown): value is HrTime {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'number' && typeof value[1] === 'number';
}

/** Exporters write nanoseconds as 64-bit integers. */
function isExportable([seconds, nanoseconds]: HrTime): boolean {
  return seconds >= 0 && seconds <= 2 ** 33 && nanoseconds >= 0 && nanoseconds <= 1e9;
}
