import type { Attributes } from '@opentelemetry/api';
import { definedAttributes } from '../../core/defined-attributes.js';
import type { OperationMeter } from '../../core/operation-meter.js';
import { ATTR_BATCH_MESSAGE_COUNT } from '../../core/messaging-conventions.js';
import { ATTR_MESSAGE_ID } from '../../core/queue-messages.js';
import type { ResolvedBull } from '../../options/jobs.js';
import type { OpenJobs } from '../job-work.js';
import { isBullJob } from './bull.js';

/** How an application traces and measures the jobs of its queues. */
export interface BullSettings extends ResolvedBull {
  /** Measures the calls that add jobs. Undefined if the application measures nothing. */
  readonly sendMeter: OperationMeter | undefined;
  /** Measures the processing of jobs. */
  readonly processMeter: OperationMeter | undefined;
  readonly open: OpenJobs;
}

export const BULL = 'bull';

const ATTR_JOB_NAME = 'bull.job.name';
export const ATTR_ATTEMPTS = 'bull.job.attempts.made';

/** The name of a job that the application has given none. */
const DEFAULT_NAME = '__default__';

/** Returns the attributes of the job or the jobs that were added. Their data, options and results are never recorded. */
export function jobAttributes(added: unknown): Attributes {
  if (Array.isArray(added)) return { [ATTR_BATCH_MESSAGE_COUNT]: added.length };
  if (!isBullJob(added)) return {};
  const { id, name } = added;
  return definedAttributes({
    [ATTR_MESSAGE_ID]: id === undefined || id === null ? undefined : String(id),
    [ATTR_JOB_NAME]: name === DEFAULT_NAME ? undefined : name,
  });
}
