import { context } from '@opentelemetry/api';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { JobReceipt, type ReceivedJob } from '../../core/received-job.js';
import { settle } from '../../core/settle.js';
import type { CurrentSettings } from '../query-settings.js';
import { hasTelemetry, type BullQueue } from './bullmq.js';
import { isIgnored } from './create-telemetry.js';
import { BULLMQ, jobAttributes, recordedAttributes } from './messages.js';
import { isSendTraced } from './send-span.js';
import { takeStoredContext } from './trace-processing.js';

/**
 * Traces the calls of `getNextJob()` by which the application takes jobs from a queue, to process them by itself. A worker with a processor
 * takes its jobs by another method, or, in version 3 and most of version 4, by the same one. Returns a function that undoes it;
 * undefined if the calls of the application cannot be told apart.
 */
export function traceReceipts(worker: BullQueue, settings: CurrentSettings): (() => void) | undefined {
  if (!('_getNextJob' in worker)) return undefined;
  return interceptMethod(worker, 'getNextJob', (getNextJob, thisArg, args) => {
    const caller = context.active();
    const current = settings();
    const isTraced = current && isSendTraced(caller, current) && !isIgnored('receive', worker.name, current);
    const start = () => new JobReceipt(isTraced ? caller : undefined, (result) => readJob(result, worker));
    return settle(start, getNextJob, thisArg, args);
  });
}

function readJob(job: unknown, worker: BullQueue): ReceivedJob | undefined {
  if (!isObject(job)) return undefined;
  const { opts } = job as { opts?: { telemetry?: { metadata?: unknown } } };
  const metadata = hasTelemetry(worker) ? opts?.telemetry?.metadata : takeStoredContext(job);
  return { system: BULLMQ, queue: worker.name, attributes: recordedAttributes(jobAttributes(job)), metadata };
}
