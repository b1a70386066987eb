import type { Span } from '@opentelemetry/api';

/** The field in which spans of the SDK keep the monotonic time of their start. The times of their events and their end are relative to it. */
const CLOCK_AT_START = '_performanceStartTime';

/** The fields in which spans of the SDK keep their start. The API has no method to change it. */
interface SdkSpanTime {
  startTime?: [seconds: number, nanoseconds: number];
  [CLOCK_AT_START]?: number;
}

/** Moves the start of a span to now, if it is a span of the library or of the SDK. */
export function restartSpan(span: Span): void {
  if ('restart' in span) {
    (span as Span & { restart(): void }).restart();
    return;
  }
  const time = span as unknown as SdkSpanTime;
  const clockAtStart = time[CLOCK_AT_START];
  if (!Array.isArray(time.startTime) || clockAtStart === undefined) return;
  const now = performance.now();
  const [seconds, nanoseconds] = time.startTime;
  const moved = nanoseconds + (now - clockAtStart) * 1e6;
  time.startTime = [seconds + Math.floor(moved / 1e9), Math.floor(moved % 1e9)];
  time[CLOCK_AT_START] = now;
}
