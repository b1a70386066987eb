import type { HrTime } from '@opentelemetry/api';

// The whole and the broken milliseconds since the epoch at which the monotonic clock was zero. Apart, because together they
// would leave a quarter of a microsecond for the fraction.
let originWhole = Math.floor(performance.timeOrigin);
let originFraction = performance.timeOrigin - originWhole;

/**
 * The wall clock's time when the monotonic clock (`performance.now()`) showed `monotonic` milliseconds, to the nanosecond. Call
 * it soon after that reading: where the wall clock was set meanwhile, the time is that of the clock as it is now. It is never
 * more than a millisecond away from `Date.now()`.
 */
export function wallTime(monotonic: number): HrTime {
  correctOrigin(monotonic);
  const sinceOrigin = monotonic + originFraction;
  const whole = Math.floor(sinceOrigin);
  const milliseconds = originWhole + whole;
  const seconds = Math.floor(milliseconds / 1000);
  const nanoseconds = (milliseconds - seconds * 1000) * 1e6 + Math.floor((sinceOrigin - whole) * 1e6);
  return [seconds, nanoseconds];
}

/** The time that lies so many milliseconds after another. */
export function addMilliseconds([seconds, nanoseconds]: HrTime, milliseconds: number): HrTime {
  const total = nanoseconds + Math.round(milliseconds * 1e6);
  const carried = Math.floor(total / 1e9);
  return [seconds + carried, total - carried * 1e9];
}

/** Milliseconds from one time to another, with fractions. */
export function millisecondsBetween(from: HrTime, to: HrTime): number {
  return (to[0] - from[0]) * 1e3 + (to[1] - from[1]) / 1e6;
}

// `Date.now()` has whole milliseconds, rounded down. As long as the origin agrees with that, nothing is known better; if it does
// not, it is moved to the nearest time that does. The process may have stood still between two readings, so the wall clock is
// only known to have been read between two readings of the monotonic clock.
function correctOrigin(before: number): void {
  const wall = Date.now();
  const after = performance.now();
  const origin = originWhole + originFraction;
  if (origin + after < wall) setOrigin(wall - after);
  else if (origin + before >= wall + 1) setOrigin(wall + 0.999 - before);
}

function setOrigin(origin: number): void {
  originWhole = Math.floor(origin);
  originFraction = origin - originWhole;
}
