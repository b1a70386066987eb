import type { Span } from '@opentelemetry/api';

/** The histogram bounds of the semantic conventions for the durations of requests and calls, in seconds. */
export const DURATION_BUCKETS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** Measures how long something takes. */
export class Stopwatch {
  /** @param startedAt the reading of `performance.now()` at the start */
  constructor(private readonly startedAt = performance.now()) {}

  /** Returns the duration in seconds: that of the span if it has ended, so that the metric agrees with the trace of its exemplar, else that since the start. */
  seconds(span?: Span): number {
    return (span && spanSeconds(span)) ?? (performance.now() - this.startedAt) / 1000;
  }
}

// Spans of the SDK expose their duration, though the API does not declare it.
function spanSeconds(span: Span): number | undefined {
  const { duration, ended } = span as { duration?: readonly [seconds: number, nanoseconds: number]; ended?: boolean };
  return ended === true && duration ? duration[0] + duration[1] / 1e9 : undefined;
}
