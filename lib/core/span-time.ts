import type { Span } from '@opentelemetry/api';

/** Where spans of the SDK keep the time of their clock at their start. Ends and events are counted from there. */
const CLOCK_AT_START = '_performanceStartTime';

/** How spans of the SDK keep their start. The API has no way to move it. */
interface SdkSpanTime {
  startTime?: [seconds: number, nanoseconds: number];
  [CLOCK_AT_START]?: number;
}

/** Lets a span begin now rather than when it was made, where its class allows that. */
export function restartSpan(span: Span): void {
  const time = span as unknown as SdkSpanTime;
  const clockAtStart = time[CLOCK_AT_START];
  if (!Array.isArray(time.startTime) || clockAtStart === undefined) return;
  const now = performance.now();
  const [seconds, nanoseconds] = time.startTime;
  const moved = nanoseconds + (now - clockAtStart) * 1e6;
  time.startTime = [seconds + Math.floor(moved / 1e9), Math.floor(moved % 1e9)];
  time[CLOCK_AT_START] = now;
}
