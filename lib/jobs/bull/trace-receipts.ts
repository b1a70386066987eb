import { context, createContextKey, ROOT_CONTEXT, trace, type Context } from '@opentelemetry/api';
import { callInContext } from '../../core/context-manager.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { takeTraceContext } from '../../core/job-options.js';
import { JobReceipt, type ReceivedJob } from '../../core/received-job.js';
import { settle } from '../../core/settle.js';
import { isTracingSuppressed } from '../../core/suppression.js';
import { isBullJob, type BullQueue } from './bull.js';
import { ATTR_ATTEMPTS, BULL, jobAttributes } from './bull-settings.js';

/** True in the context of the loop in which a queue takes jobs for its processors. */
const LOOP = createContextKey('nestjs-tracing loop of Bull');

/**
 * Traces the calls of `getNextJob()` by which the application takes jobs from a queue, to process them by itself. A queue takes jobs for its
 * processors by the same method, in a loop that outlives the call that has started it. Returns functions that undo it.
 */
export function traceReceipts(queue: BullQueue): readonly ((() => void) | undefined)[] {
  return [
    interceptMethod(queue, 'processJobs', (processJobs, thisArg, args) =>
      callInContext(ROOT_CONTEXT.setValue(LOOP, true), processJobs, thisArg, args),
    ),
    interceptMethod(queue, 'getNextJob', (getNextJob, thisArg, args) => {
      const caller = context.active();
      if (caller.getValue(LOOP) === true) return Reflect.apply(getNextJob, thisArg, args);
      const read = (result: unknown) => readJob(result, queue.name);
      return settle(() => new JobReceipt(isTraced(caller) ? caller : undefined, read), getNextJob, thisArg, args);
    }),
  ];
}

/** Describes a job, and gives it the options back that the application has given. */
function readJob(result: unknown, queue: string): ReceivedJob | undefined {
  if (!isBullJob(result)) return undefined;
  const attributes = { ...jobAttributes(result), [ATTR_ATTEMPTS]: result.attemptsMade + 1 };
  return { system: BULL, queue, attributes, metadata: takeTraceContext(result) };
}

function isTraced(caller: Context): boolean {
  const parent = trace.getSpanContext(caller);
  return parent !== undefined && trace.isSpanContextValid(parent) && !isTracingSuppressed(caller);
}
