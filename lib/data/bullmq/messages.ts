import type { Attributes } from '@opentelemetry/api';
import { definedAttributes } from '../../core/defined-attributes.js';
import { ATTR_BATCH_MESSAGE_COUNT } from '../../core/messaging-conventions.js';
import { OperationMeter } from '../../core/operation-meter.js';
import { ATTR_MESSAGE_ID, MESSAGE_METRICS, type MeasuredOperation } from '../../core/queue-messages.js';
import type { QuerySettings } from '../query-settings.js';

export const BULLMQ = 'bullmq';

/** The attributes of BullMQ that are recorded, by their names there. All others may hold data of a job, or its whole options. */
const RECORDED_ATTRIBUTES: Readonly<Record<string, string>> = {
  'bullmq.job.id': ATTR_MESSAGE_ID,
  'bullmq.job.bulk.count': ATTR_BATCH_MESSAGE_COUNT,
  'bullmq.job.name': 'bullmq.job.name',
  'bullmq.job.attempts.made': 'bullmq.job.attempts.made',
  'bullmq.job.scheduler.id': 'bullmq.job.scheduler.id',
};

/** Returns the meter of an operation. Undefined if the application measures nothing. */
export function messageMeter(operation: MeasuredOperation, { meter }: QuerySettings): OperationMeter | undefined {
  return meter && OperationMeter.of(meter.instruments, MESSAGE_METRICS[operation]);
}

/** Returns those attributes of BullMQ that are recorded, by their names in the semantic conventions. */
export function recordedAttributes(attributes: Attributes): Attributes {
  const recorded: Attributes = {};
  for (const [key, value] of Object.entries(attributes)) {
    const name = RECORDED_ATTRIBUTES[key];
    if (name !== undefined && (typeof value === 'string' || typeof value === 'number')) recorded[name] = value;
  }
  return recorded;
}

/** Returns the attributes of a job, by the names that BullMQ gives them. */
export function jobAttributes(job: object): Attributes {
  const { attemptsMade, id, name } = job as { attemptsMade?: number; id?: string; name?: string };
  return definedAttributes({
    'bullmq.job.id': id,
    'bullmq.job.name': name,
    'bullmq.job.attempts.made': attemptsMade,
  });
}
