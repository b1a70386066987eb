import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { DURATION_BUCKETS } from '../core/duration.js';
import type { OperationMetrics } from '../core/operation-meter.js';
import { ATTR_DESTINATION_NAME, ATTR_MESSAGING_SYSTEM, ATTR_OPERATION_NAME } from './conventions.js';

const ATTRIBUTES = [ATTR_MESSAGING_SYSTEM, ATTR_OPERATION_NAME, ATTR_DESTINATION_NAME, ATTR_ERROR_TYPE];

// These names are still in development, so the package of the semantic conventions does not export them as stable.

/** The metrics of events that the application emits. */
export const sentEventMetrics: OperationMetrics = {
  duration: {
    name: 'messaging.client.operation.duration',
    description: 'Duration of messaging operations of a producer or consumer client.',
    unit: 's',
    attributes: ATTRIBUTES,
    buckets: DURATION_BUCKETS,
  },
  count: {
    name: 'messaging.client.sent.messages',
    description: 'Number of messages that a producer attempted to send.',
    unit: '{message}',
    attributes: ATTRIBUTES,
  },
};

/** The metrics of events that the application handles. */
export const processedEventMetrics: OperationMetrics = {
  duration: {
    name: 'messaging.process.duration',
    description: 'Duration of processing a message.',
    unit: 's',
    attributes: ATTRIBUTES,
    buckets: DURATION_BUCKETS,
  },
  count: {
    name: 'messaging.client.consumed.messages',
    description: 'Number of messages that were delivered to the application.',
    unit: '{message}',
    attributes: ATTRIBUTES,
  },
};
