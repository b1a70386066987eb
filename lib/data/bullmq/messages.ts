import type { Attributes } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { definedAttributes } from '../../core/defined-attributes.js';
import { OperationMeter, type OperationMetrics } from '../../core/operation-meter.js';
import type { QuerySettings } from '../query-settings.js';

/** The operations on a message: its producer sends it, its consumer processes it. */
export type MessageOperation = 'send' | 'process';

// These names are still in development, so the package does not export them as stable.
const ATTR_SYSTEM = 'messaging.system';
const ATTR_DESTINATION = 'messaging.destination.name';
const ATTR_OPERATION_NAME = 'messaging.operation.name';
const ATTR_OPERATION_TYPE = 'messaging.operation.type';

export const BULLMQ = 'bullmq';

/** The attributes of BullMQ that are recorded, by their names there. All others may hold data of a job, or its whole options. */
const RECORDED_ATTRIBUTES: Readonly<Record<string, string>> = {
  'bullmq.job.id': 'messaging.message.id',
  'bullmq.job.bulk.count': 'messaging.batch.message_count',
  'bullmq.job.name': 'bullmq.job.name',
  'bullmq.job.attempts.made': 'bullmq.job.attempts.made',
  'bullmq.job.scheduler.id': 'bullmq.job.scheduler.id',
};

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const MEASURED_ATTRIBUTES = [ATTR_SYSTEM, ATTR_DESTINATION, ATTR_OPERATION_NAME, ATTR_ERROR_TYPE];

const METRICS: Readonly<Record<MessageOperation, OperationMetrics>> = {
  send: {
    duration: {
      name: 'messaging.client.operation.duration',
      description: 'Duration of messaging operations of a producer or consumer client.',
      unit: 's',
      attributes: MEASURED_ATTRIBUTES,
      buckets: BUCKETS,
    },
  },
  process: {
    duration: {
      name: 'messaging.process.duration',
      description: 'Duration of processing a message.',
      unit: 's',
      attributes: MEASURED_ATTRIBUTES,
      buckets: BUCKETS,
    },
  },
};

/** Returns the meter of an operation. Undefined if the application measures nothing. */
export function messageMeter(operation: MessageOperation, { meter }: QuerySettings): OperationMeter | undefined {
  return meter && OperationMeter.of(meter.instruments, METRICS[operation]);
}

/** The attributes of a message that are known from the start. */
export function messageAttributes(operation: MessageOperation, queue: string | undefined): Attributes {
  return definedAttributes({
    [ATTR_SYSTEM]: BULLMQ,
    [ATTR_DESTINATION]: queue,
    [ATTR_OPERATION_NAME]: operation,
    [ATTR_OPERATION_TYPE]: operation,
  });
}

export function messageSpanName(operation: MessageOperation, queue: string | undefined): string {
  return queue === undefined ? operation : `${operation} ${queue}`;
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
