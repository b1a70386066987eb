import type { HrTime, SpanContext, TimeInput, TraceState } from '@opentelemetry/api';
import { durationBetween, givenTime, isBefore } from './clock.js';
import { IdentifiedSpan } from './identified-span.js';
import type { LocalTrace } from './local-trace.js';

/**
 * A span with the times of its start and its end. It keeps readings of the monotonic clock, and works out the times of the day when they are
 * read.
 */
export abstract class TimedSpan extends IdentifiedSpan {
  /** The reading of the monotonic clock at the end, in milliseconds. NaN while the span is open. */
  endedAt = NaN;
  /** Times that the application has given. They are kept to the nanosecond. */
  private givenStart: HrTime | undefined;
  private givenEnd: HrTime | undefined;

  /** @param startedAt the reading of the monotonic clock at the start, in milliseconds */
  protected constructor(
    trace: LocalTrace,
    parent: IdentifiedSpan | SpanContext | undefined,
    isSampled: boolean,
    traceState: TraceState | undefined,
    private startedAt: number,
  ) {
    super(trace, parent, isSampled, traceState);
  }

  protected startAt(startTime: TimeInput): void {
    const { clock } = this.trace;
    this.givenStart = givenTime(startTime, clock);
    // Events and the end are measured from the start by the same clock.
    if (this.givenStart) this.startedAt = clock.monotonicAt(this.givenStart);
  }

  protected startNow(): void {
    this.startedAt = performance.now();
    this.givenStart = undefined;
  }

  protected endAt(endTime: TimeInput): void {
    const { clock } = this.trace;
    this.givenEnd = givenTime(endTime, clock);
    this.endedAt = this.givenEnd ? clock.monotonicAt(this.givenEnd) : this.startedAt;
  }

  get elapsed(): number {
    return (Number.isNaN(this.endedAt) ? performance.now() : this.endedAt) - this.startedAt;
  }

  get startTime(): HrTime {
    return this.givenStart ?? this.trace.clock.wallTime(this.startedAt);
  }

  /** The time of the end, never before the start. Zero while the span is open. */
  get endTime(): HrTime {
    if (Number.isNaN(this.endedAt)) return [0, 0];
    if (this.endedAt < this.startedAt) return this.startTime;
    const { givenEnd, givenStart } = this;
    if (!givenEnd) return this.trace.clock.wallTime(this.endedAt);
    // The readings of the monotonic clock have too few digits for two times long ago.
    return givenStart && isBefore(givenEnd, givenStart) ? givenStart : givenEnd;
  }

  get duration(): HrTime {
    return Number.isNaN(this.endedAt) ? [-1, -1] : durationBetween(this.startTime, this.endTime);
  }

  /** Returns a given time, or the time of now by the clock of the trace. */
  protected timeOf(time: TimeInput | undefined): HrTime {
    const { clock } = this.trace;
    return givenTime(time, clock) ?? clock.wallTime(performance.now());
  }
}
