import 'reflect-metadata';
import type { Attributes } from '@opentelemetry/api';
import { ATTR_CODE_FUNCTION_NAME } from '@opentelemetry/semantic-conventions';
import { currentSpanParameters } from '../../core/current-span-parameters.js';
import { definedAttributes } from '../../core/defined-attributes.js';
import { isNoSpan } from '../../core/no-span.js';
import {
  CRON_OPTIONS,
  INTERVAL_OPTIONS,
  SCHEDULER_NAME,
  SCHEDULER_TYPE,
  SCHEDULER_TYPES,
  TIMEOUT_OPTIONS,
  type CronJob,
  type Timer,
} from './schedule.js';

// The conventions have no attributes of scheduled jobs, so these names are those of the library.
export const ATTR_SCHEDULE_TYPE = 'nestjs.schedule.type';
const ATTR_NAME = 'nestjs.schedule.name';
const ATTR_CRON = 'nestjs.schedule.cron';
const ATTR_TIME_ZONE = 'nestjs.schedule.time_zone';
/** The time between two ticks of an interval, in milliseconds. */
const ATTR_INTERVAL = 'nestjs.schedule.interval';
/** The time from the start of the application to the tick of a timeout, in milliseconds. */
const ATTR_TIMEOUT = 'nestjs.schedule.timeout';

/** A scheduled job, with the name and the attributes of its spans. */
export interface ScheduledJob {
  readonly spanName: string;
  /** The name of the method that each tick calls, if the job belongs to a method. */
  readonly methodName: string | undefined;
  readonly attributes: Attributes;
  /** The attributes by which ticks are measured. */
  readonly measured: Attributes;
  /** The positions of `@CurrentSpan()` parameters of the method. */
  readonly spanParameters: readonly number[];
  /** True if ticks have no span. It is asked at each tick, since metadata may be set late. */
  isUntraced(): boolean;
}

/** Describes the job of a method with `@Cron()`, `@Interval()` or `@Timeout()`. Undefined if it has none of them. */
export function jobOfMethod(method: object, instance: object): ScheduledJob | undefined {
  const type = SCHEDULER_TYPES[readMetadata<number>(SCHEDULER_TYPE, method) ?? 0];
  if (type === undefined) return undefined;
  const owner = instance.constructor;
  const key = nameOfMethod(method, instance);
  const methodName = `${owner.name}.${key}`;
  const measured = { [ATTR_CODE_FUNCTION_NAME]: methodName, [ATTR_SCHEDULE_TYPE]: type };
  const cron = readMetadata<{ cronTime?: unknown; timeZone?: unknown }>(CRON_OPTIONS, method);
  return {
    spanName: methodName,
    methodName,
    measured,
    attributes: definedAttributes({
      ...measured,
      [ATTR_NAME]: textOrUndefined(readMetadata(SCHEDULER_NAME, method)),
      [ATTR_CRON]: cronText(cron?.cronTime),
      [ATTR_TIME_ZONE]: textOrUndefined(cron?.timeZone),
      [ATTR_INTERVAL]: delayOf(INTERVAL_OPTIONS, method),
      [ATTR_TIMEOUT]: delayOf(TIMEOUT_OPTIONS, method),
    }),
    spanParameters: currentSpanParameters(Object.getPrototypeOf(instance) as object, key),
    isUntraced: () => isNoSpan(owner) || isNoSpan(method),
  };
}

/** Describes a cron job that the application has added to the registry under a name. */
export function jobOfCronJob(name: string, { cronTime }: CronJob): ScheduledJob {
  return addedJob('cron', name, {
    [ATTR_CRON]: cronText(cronTime?.source),
    [ATTR_TIME_ZONE]: textOrUndefined(cronTime?.timeZone),
  });
}

/** Describes an interval or a timeout that the application has added to the registry under a name. */
export function jobOfTimer(name: string, { _idleTimeout: timeout, _repeat: interval }: Timer): ScheduledJob {
  if (typeof interval === 'number') return addedJob('interval', name, { [ATTR_INTERVAL]: interval });
  return addedJob('timeout', name, { [ATTR_TIMEOUT]: typeof timeout === 'number' ? timeout : undefined });
}

function addedJob(type: string, name: string, attributes: Record<string, string | number | undefined>): ScheduledJob {
  const measured = { [ATTR_SCHEDULE_TYPE]: type };
  return {
    spanName: `${type} ${withoutIds(name)}`,
    methodName: undefined,
    measured,
    attributes: definedAttributes({ ...measured, [ATTR_NAME]: name, ...attributes }),
    spanParameters: [],
    isUntraced: () => false,
  };
}

/** Replaces the words with digits in the name of a job: an application may add one job for each user, and names of spans are few. */
export function withoutIds(name: string): string {
  return name.replace(/\w*\d\w*/g, '*').replace(/\*(?:[-.]\*)+/g, '*');
}

/** Returns the expression of a cron job, or the time of one that ticks once, which is a `Date` or a `DateTime` of Luxon. */
export function cronText(cronTime: unknown): string | undefined {
  if (typeof cronTime === 'string') return cronTime;
  if (cronTime instanceof Date) return Number.isNaN(cronTime.getTime()) ? undefined : cronTime.toISOString();
  const toIso = (cronTime as { toISO?: unknown } | null | undefined)?.toISO;
  return typeof toIso === 'function' ? textOrUndefined(Reflect.apply(toIso, cronTime, [])) : undefined;
}

/** Returns the name under which an object has a method. A decorator may have put a function of another name in its place. */
function nameOfMethod(method: object, instance: object): string {
  for (let link: object | null = instance; link; link = Object.getPrototypeOf(link) as object | null) {
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(link))) {
      if (value === method) return key;
    }
  }
  return (method as { name?: string }).name ?? '';
}

function delayOf(key: string, method: object): number | undefined {
  const delay = readMetadata<{ timeout?: unknown }>(key, method)?.timeout;
  return typeof delay === 'number' ? delay : undefined;
}

function textOrUndefined(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function readMetadata<T>(key: string, method: object): T | undefined {
  return Reflect.getMetadata(key, method) as T | undefined;
}
