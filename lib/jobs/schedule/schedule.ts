/** The members of `@nestjs/schedule` and of `cron` that are used here. The packages themselves are never imported. */
import { hasMembers } from '../../core/has-members.js';
import type { AnyMethod } from '../../core/wrap-method.js';

/* The keys of the metadata that `@Cron()`, `@Interval()` and `@Timeout()` set on a method. */
export const SCHEDULER_NAME = 'SCHEDULER_NAME';
export const SCHEDULER_TYPE = 'SCHEDULER_TYPE';
export const CRON_OPTIONS = 'SCHEDULE_CRON_OPTIONS';
export const INTERVAL_OPTIONS = 'SCHEDULE_INTERVAL_OPTIONS';
export const TIMEOUT_OPTIONS = 'SCHEDULE_TIMEOUT_OPTIONS';

/** The values of the metadata `SCHEDULER_TYPE`. */
export const SCHEDULER_TYPES: Readonly<Record<number, 'cron' | 'interval' | 'timeout'>> = {
  1: 'cron',
  2: 'timeout',
  3: 'interval',
};

/** The method of the explorer that wraps a scheduled method, so that its exceptions are logged. */
export const WRAP_METHOD = 'wrapFunctionInTryCatchBlocks';

/** A job of `cron`. */
export interface CronJob {
  /** The functions that each tick calls. */
  readonly _callbacks?: AnyMethod[];
  readonly cronTime?: { readonly source?: unknown; readonly timeZone?: unknown };
}

/** A timer of Node. Its members have no documentation, but are the same in all releases. */
export interface Timer {
  /** The function that each tick calls. Null once the timer is cleared. */
  _onTimeout?: unknown;
  /** The time between two ticks of an interval, in milliseconds. Null for a timeout. */
  readonly _repeat?: unknown;
  /** The time to the tick of a timeout, in milliseconds. */
  readonly _idleTimeout?: unknown;
}

export interface SchedulerRegistry {
  readonly cronJobs?: ReadonlyMap<string, CronJob>;
  readonly intervals?: ReadonlyMap<string, Timer>;
  readonly timeouts?: ReadonlyMap<string, Timer>;
}

/** True for the provider that finds the scheduled methods of an application. */
export function isScheduleExplorer(candidate: object): boolean {
  return hasMembers(candidate, ['explore', 'lookupSchedulers', WRAP_METHOD]);
}

export function isSchedulerRegistry(candidate: object): boolean {
  return hasMembers(candidate, ['addCronJob', 'getCronJobs', 'addInterval', 'addTimeout']);
}
