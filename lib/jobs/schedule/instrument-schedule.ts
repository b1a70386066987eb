import { types } from 'node:util';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import type { ObjectKind } from '../../core/found-objects.js';
import {
  isScheduleExplorer,
  isSchedulerRegistry,
  WRAP_METHOD,
  type CronJob,
  type SchedulerRegistry,
  type Timer,
} from './schedule.js';
import { jobOfCronJob, jobOfMethod, jobOfTimer } from './scheduled-job.js';
import { TickTracer, type TickSettings } from './trace-ticks.js';

/** The functions whose calls are traced ticks. The job of a method with `@Cron()` is also added to the registry. */
const tracedTicks = new WeakSet<object>();

/** Returns the providers of `@nestjs/schedule` that know the jobs of an application. */
export function scheduleHosts(settings: TickSettings): readonly ObjectKind[] {
  const tracer = new TickTracer(settings);
  return [
    {
      name: 'ScheduleExplorer',
      matches: isScheduleExplorer,
      instrument: (explorer) => instrumentExplorer(explorer, tracer),
    },
    {
      name: 'SchedulerRegistry',
      matches: isSchedulerRegistry,
      instrument: (registry) => instrumentRegistry(registry, tracer),
    },
  ];
}

/**
 * Traces the methods that the explorer finds. It wraps each of them in a function that logs exceptions, and gets a traced method to wrap
 * instead. The method of the application itself, its metadata and its instance stay as they are.
 */
function instrumentExplorer(explorer: object, tracer: TickTracer): () => void {
  const undo = interceptMethod(explorer, WRAP_METHOD, (wrap, thisArg, args) => {
    const [method, instance] = args;
    const tick = callSafely('Tracing a scheduled method', () => traceMethod(method, instance, tracer));
    const wrapped = Reflect.apply(wrap, thisArg, tick ? [tick, ...args.slice(1)] : args);
    if (tick && isObject(wrapped)) tracedTicks.add(wrapped);
    return wrapped;
  });
  return () => {
    undo?.();
    tracer.stop();
  };
}

function traceMethod(method: unknown, instance: unknown, tracer: TickTracer): AnyMethod | undefined {
  if (typeof method !== 'function' || !isObject(instance)) return undefined;
  const job = jobOfMethod(method, instance);
  return job && tracer.trace(method as AnyMethod, job);
}

/** Traces the jobs that the application itself adds to the registry. */
function instrumentRegistry(registry: SchedulerRegistry, tracer: TickTracer): () => void {
  const { cronJobs, intervals, timeouts } = registry;
  const undos = [
    traceAdded(registry, 'addCronJob', cronJobs, (name, job) => traceCronJob(name, job, tracer)),
    traceAdded(registry, 'addInterval', intervals, (name, timer) => traceTimer(name, timer, tracer)),
    traceAdded(registry, 'addTimeout', timeouts, (name, timer) => traceTimer(name, timer, tracer)),
  ];
  return () => {
    for (const undo of undos) undo?.();
    tracer.stop();
  };
}

/** Calls `trace` with each job that the registry has or gets. A constructor of the application may have added jobs already. */
function traceAdded<Job extends object>(
  registry: SchedulerRegistry,
  method: string,
  jobs: ReadonlyMap<string, Job> | undefined,
  trace: (name: string, job: Job) => void,
): (() => void) | undefined {
  // A test may have put another object in the place of the registry.
  if (types.isMap(jobs)) for (const [name, job] of jobs) trace(name, job);
  return interceptMethod(registry, method, (add, thisArg, args) => {
    const result = Reflect.apply(add, thisArg, args);
    const [name, job] = args;
    if (isObject(job)) callSafely('Tracing a scheduled job', () => trace(String(name), job as Job));
    return result;
  });
}

/** Traces the function of an interval or a timeout, which is not one of a method: its timer calls the function that it has now. */
function traceTimer(name: string, timer: Timer, tracer: TickTracer): void {
  const { _onTimeout: callback } = timer;
  if (typeof callback !== 'function' || types.isProxy(timer) || tracedTicks.has(callback)) return;
  const tick = tracer.trace(callback as AnyMethod, jobOfTimer(name, timer));
  tracedTicks.add(tick);
  Reflect.set(timer, '_onTimeout', tick);
}

/** Traces the functions that a job calls: the job neither awaits their promises nor passes their exceptions on. */
function traceCronJob(name: string, cronJob: CronJob, tracer: TickTracer): void {
  const job = jobOfCronJob(name, cronJob);
  traceCallbacks(cronJob);
  interceptMethod(cronJob, 'addCallback', (add, thisArg, args) => {
    const result = Reflect.apply(add, thisArg, args);
    callSafely('Tracing a cron job', () => traceCallbacks(cronJob));
    return result;
  });

  function traceCallbacks({ _callbacks: callbacks }: CronJob): void {
    if (!Array.isArray(callbacks)) return;
    for (const [index, callback] of callbacks.entries()) {
      if (typeof callback !== 'function' || tracedTicks.has(callback)) continue;
      const tick = tracer.trace(callback, job);
      tracedTicks.add(tick);
      callbacks[index] = tick;
    }
  }
}
