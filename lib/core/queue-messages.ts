import type { Attributes } from '@opentelemetry/api';
import { definedAttributes } from './defined-attributes.js';
import {
  ATTR_DESTINATION_NAME,
  ATTR_MESSAGING_SYSTEM,
  ATTR_OPERATION_NAME,
  ATTR_OPERATION_TYPE,
  processDuration,
  sendDuration,
} from './messaging-conventions.js';
import type { OperationMetrics } from './operation-meter.js';

/** The operations on a message that are measured: its producer sends it, its consumer processes it. */
export type MeasuredOperation = 'send' | 'process';

/** The operations on a message: the application may also receive it by a call, and process it by itself. */
export type MessageOperation = MeasuredOperation | 'receive';

// The name is still in development, so the package of the semantic conventions does not export it as stable.
export const ATTR_MESSAGE_ID = 'messaging.message.id';

/** The metrics of the jobs in a queue. The conventions have no metric for messages that are being processed. */
export const MESSAGE_METRICS: Readonly<Record<MeasuredOperation, OperationMetrics>> = {
  send: { duration: sendDuration },
  process: {
    duration: processDuration,
    active: {
      name: 'nestjs.queue.active_jobs',
      description: 'Number of jobs of queues that are being processed.',
      unit: '{job}',
      attributes: [ATTR_MESSAGING_SYSTEM, ATTR_DESTINATION_NAME],
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
    [ATTR_MESSAGING_SYSTEM]: system,
    [ATTR_DESTINATION_NAME]: destination,
    [ATTR_OPERATION_NAME]: operation,
    [ATTR_OPERATION_TYPE]: operation,
  });
}

/** The attributes by which active jobs are counted. */
export function activeJobAttributes(system: string, destination: string): Attributes {
  return { [ATTR_MESSAGING_SYSTEM]: system, [ATTR_DESTINATION_NAME]: destination };
}

export function messageSpanName(operation: MessageOperation, destination: string | undefined): string {
  return destination === undefined ? operation : `${operation} ${destination}`;
}
