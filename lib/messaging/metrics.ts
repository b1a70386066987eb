import { MEASURED_MESSAGE_ATTRIBUTES, processDuration, sendDuration } from '../core/messaging-conventions.js';
import type { OperationMetrics } from '../core/operation-meter.js';

/** The metrics of events that the application emits. */
export const sentEventMetrics: OperationMetrics = {
  duration: sendDuration,
  count: {
    name: 'messaging.client.sent.messages',
    description: 'Number of messages that a producer attempted to send.',
    unit: '{message}',
    attributes: MEASURED_MESSAGE_ATTRIBUTES,
  },
};

/** The metrics of events that the application handles. */
export const processedEventMetrics: OperationMetrics = {
  duration: processDuration,
  count: {
    name: 'messaging.client.consumed.messages',
    description: 'Number of messages that were delivered to the application.',
    unit: '{message}',
    attributes: MEASURED_MESSAGE_ATTRIBUTES,
  },
};
