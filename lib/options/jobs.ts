import { groupIfOn, isOn } from './switch.js';
import type { BooleanOption } from './text-types.js';

/** How the jobs of Bull are traced. */
export interface BullOptions {
  /**
   * True if the processing of a job continues the trace of its producer. If not, it is a trace of its own, with a link to the producer.
   * @default false
   */
  continueTrace?: BooleanOption | undefined;
}

/** Which jobs are traced. Packages that the application does not use have no effect. */
export interface JobsOptions {
  /**
   * True if `@Cron()`, `@Interval()` and `@Timeout()` of `@nestjs/schedule` are traced, and all jobs that are added to its registry.
   * @default true
   */
  schedule?: BooleanOption | undefined;

  /**
   * The queues of `@nestjs/bull`. False if they are not traced, or options for them.
   * @default true
   */
  bull?: BooleanOption | BullOptions | undefined;

  /**
   * True if the commands of `nest-commander` are traced.
   * @default true
   */
  commands?: BooleanOption | undefined;
}

export interface ResolvedBull {
  readonly continueTrace: boolean;
}

export interface ResolvedJobs {
  readonly schedule: boolean;
  /** Undefined if the queues of Bull are not traced. */
  readonly bull: ResolvedBull | undefined;
  readonly commands: boolean;
}

/** Resolves which jobs are traced. Returns undefined if none is. */
export function resolveJobs(given: JobsOptions | BooleanOption | undefined): ResolvedJobs | undefined {
  const options = groupIfOn<JobsOptions>('jobs', given, { schedule: true, bull: true, commands: true });
  if (!options) return undefined;
  const resolved = {
    schedule: isOn('jobs.schedule', options.schedule, true),
    bull: resolveBull(options.bull),
    commands: isOn('jobs.commands', options.commands, true),
  };
  return resolved.schedule || resolved.bull || resolved.commands ? Object.freeze(resolved) : undefined;
}

function resolveBull(given: JobsOptions['bull']): ResolvedBull | undefined {
  const options = groupIfOn<BullOptions>('jobs.bull', given, { continueTrace: true });
  if (!options) return undefined;
  return Object.freeze({ continueTrace: isOn('jobs.bull.continueTrace', options.continueTrace, false) });
}
