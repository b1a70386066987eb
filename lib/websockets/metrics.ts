import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { DURATION_BUCKETS } from '../core/duration.js';
import type { InstrumentDescription } from '../core/instruments.js';
import type { OperationMetrics } from '../core/operation-meter.js';
import { ATTR_EVENT, ATTR_NAMESPACE, ATTR_PROTOCOL } from './attributes.js';

/** The metrics of messages. The semantic conventions have none. Their attributes have few values each, and the client cannot choose them. */
export const messageMetrics: OperationMetrics = {
  duration: {
    name: 'websocket.server.message.duration',
    description: 'Duration of the handling of messages of WebSocket clients, until the last answer.',
    unit: 's',
    attributes: [ATTR_PROTOCOL, ATTR_NAMESPACE, ATTR_EVENT, ATTR_ERROR_TYPE],
    buckets: DURATION_BUCKETS,
  },
};

export const activeConnectionsMetric: InstrumentDescription = {
  name: 'websocket.server.active_connections',
  description: 'Number of WebSocket clients that are connected to gateways, for each namespace.',
  unit: '{connection}',
  attributes: [ATTR_PROTOCOL, ATTR_NAMESPACE],
};
