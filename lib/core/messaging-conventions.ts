import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { DURATION_BUCKETS } from './duration.js';
import type { HistogramDescription } from './instruments.js';

// The conventions of messaging are still in development, so their package does not export these names as stable.
export const ATTR_MESSAGING_SYSTEM = 'messaging.system';
export const ATTR_DESTINATION_NAME = 'messaging.destination.name';
export const ATTR_OPERATION_NAME = 'messaging.operation.name';
export const ATTR_OPERATION_TYPE = 'messaging.operation.type';
export const ATTR_BATCH_MESSAGE_COUNT = 'messaging.batch.message_count';

/** The attributes of measurements of messages. prom-client needs the same ones from everything that measures messages. */
export const MEASURED_MESSAGE_ATTRIBUTES = [
  ATTR_MESSAGING_SYSTEM,
  ATTR_DESTINATION_NAME,
  ATTR_OPERATION_NAME,
  ATTR_ERROR_TYPE,
];

export const sendDuration: HistogramDescription = {
  name: 'messaging.client.operation.duration',
  description: 'Duration of messaging operations of a producer or consumer client.',
  unit: 's',
  attributes: MEASURED_MESSAGE_ATTRIBUTES,
  buckets: DURATION_BUCKETS,
};

export const processDuration: HistogramDescription = {
  name: 'messaging.process.duration',
  description: 'Duration of processing a message.',
  unit: 's',
  attributes: MEASURED_MESSAGE_ATTRIBUTES,
  buckets: DURATION_BUCKETS,
};
