import type { Attributes } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { definedAttributes } from './defined-attributes.js';
import { DURATION_BUCKETS } from './duration.js';
import type { OperationMetrics } from './operation-meter.js';

/** The operations on a message: its producer sends it, its consumer processes it. */
export type MessageOperation = 'send' | 'process';

// These names are still in development, so the package does not export them as stable.
const ATTR_SYSTEM = 'messaging.system';
const ATTR_DESTINATION = 'messaging.destination.name';
const ATTR_OPERATION_NAME = 'messaging.operation.name';
const ATTR_OPERATION_TYPE = 'messaging.operation.type';
export const ATTR_MESSAGE_ID = 'messaging.message.id';
export const ATTR_BATCH_MESSAGE_COUNT = 'messaging.batch.message_count';

const MEASURED_ATTRIBUTES = [ATTR_SYSTEM, ATTR_DESTINATION, ATTR_OPERATION_NAME, ATTR_ERROR_TYPE];

/** The metrics of the jobs in a queue. The conventions have no metric for messages that are being processed. */
export const MESSAGE_METRICS: Readonly<Record<MessageOperation, OperationMetrics>> = {
  send: {
    duration: {
      name: 'messaging.client.operation.duration',
      description: 'Duration of messaging operations of a producer or consumer client.',
      unit: 's',
      attributes: MEASURED_ATTRIBUTES,
      buckets: DURATION_BUCKETS,
    },
  },
  process: {
    duration: {
      name: 'messaging.process.duration',
      description: 'Duration of processing a message.',
      unit: 's',
      attributes: MEASURED_ATTRIBUTES,
      buckets: DURATION_BUCKETS,
    },
    active: {
      name: 'nestjs.queue.active_jobs',
      description: 'Number of jobs of queues that are being processed.',
      unit: '{job}',
      attributes: [ATTR_SYSTEM, ATTR_DESTINATION],
    },
  },
};

/** The attributes of a message that are known from the start. */
export function messageAttributes(
  system: string,
  operation: MessageOperation,
  destination: string | undefined,
): Attributes {
  return definedAttributes({
    [ATTR_SYSTEM]: system,
    [ATTR_DESTINATION]: destination,
    [ATTR_OPERATION_NAME]: operation,
    [ATTR_OPERATION_TYPE]: operation,
  });
}

/** The attributes by which active jobs are counted. */
export function activeJobAttributes(system: string, destination: string): Attributes {
  return { [ATTR_SYSTEM]: system, [ATTR_DESTINATION]: destination };
}

export function messageSpanName(operation: MessageOperation, destination: string | undefined): string {
  return destination === undefined ? operation : `${operation} ${destination}`;
}
