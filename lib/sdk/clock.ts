import type { HrTime } from '@opentelemetry/api';

// The time since the epoch at which the monotonic clock was zero, in whole milliseconds and the fraction. They are apart, because
// one number would resolve the fraction to a quarter of a microsecond only.
let originWhole = Math.floor(performance.timeOrigin);
let originFraction = performance.timeOrigin - originWhole;

/**
 * Returns the time of the wall clock, to the nanosecond, for a reading of the monotonic clock (`performance.now()`) in
 * milliseconds. To be called soon after the reading: if the wall clock was set in between, the time is by the new setting. It
 * differs from `Date.now()` by less than a millisecond.
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

/** Returns the time that is a number of milliseconds later. */
export function addMilliseconds([seconds, nanoseconds]: HrTime, milliseconds: number): HrTime {
  const total = nanoseconds + Math.round(milliseconds * 1e6);
  const carried = Math.floor(total / 1e9);
  return [seconds + carried, total - carried * 1e9];
}

/** Returns the milliseconds from one time to another, with fractions. */
export function millisecondsBetween(from: HrTime, to: HrTime): number {
  return (to[0] - from[0]) * 1e3 + (to[1] - from[1]) / 1e6;
}

// `Date.now()` returns whole milliseconds, rounded down. As long as the origin agrees with it, there is no better origin; otherwise
// the origin is moved to the nearest time that agrees. The process may have been stopped between two calls, so it is only known
// that the wall clock was read between two readings of the monotonic clock.
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
