import type { CandidateTrace } from './candidate-trace.js';
import { currentClock, type Clock } from './clock.js';
import type { TraceId } from './trace-ids.js';

/** The part of a trace in this process: the facts that its spans share. */
export class LocalTrace {
  /** Undefined until a span of the trace is recorded: most traces of a service that samples need no clock. */
  private clockOnce: Clock | undefined;

  /** @param candidate set if the trace is not sampled and may be kept */
  constructor(
    readonly id: TraceId,
    public candidate?: CandidateTrace,
  ) {}

  get clock(): Clock {
    return (this.clockOnce ??= currentClock(performance.now()));
  }

  /**
   * Returns the trace for a span that starts. After a sleep of the machine, in which the monotonic clock stands still, it has another clock.
   *
   * @param startedAt a reading of the monotonic clock that was just taken
   */
  at(startedAt: number): LocalTrace {
    if (!this.clockOnce) this.clockOnce = currentClock(startedAt);
    else if (this.clockOnce.isBehind(startedAt)) return new LocalTrace(this.id, this.candidate).at(startedAt);
    return this;
  }
}
