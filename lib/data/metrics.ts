import {
  ATTR_DB_COLLECTION_NAME,
  ATTR_DB_NAMESPACE,
  ATTR_DB_OPERATION_NAME,
  ATTR_DB_QUERY_SUMMARY,
  ATTR_DB_RESPONSE_STATUS_CODE,
  ATTR_DB_SYSTEM_NAME,
  ATTR_ERROR_TYPE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  METRIC_DB_CLIENT_OPERATION_DURATION,
} from '@opentelemetry/semantic-conventions';
import type { HistogramDescription } from '../core/instruments.js';
import type { OperationMetrics } from '../core/operation-meter.js';

/** The histogram bounds of the semantic conventions for databases, in seconds. */
const BUCKETS: readonly number[] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/** Still in development, so the package does not export these names as stable. */
export const ATTR_POOL_NAME = 'db.client.connection.pool.name';
const METRIC_WAIT_TIME = 'db.client.connection.wait_time';

export const queryMetrics: OperationMetrics = {
  duration: {
    name: METRIC_DB_CLIENT_OPERATION_DURATION,
    description: 'Duration of database client operations.',
    unit: 's',
    attributes: [
      ATTR_DB_SYSTEM_NAME,
      ATTR_DB_NAMESPACE,
      ATTR_DB_OPERATION_NAME,
      ATTR_DB_COLLECTION_NAME,
      ATTR_DB_QUERY_SUMMARY,
      ATTR_DB_RESPONSE_STATUS_CODE,
      ATTR_ERROR_TYPE,
      ATTR_SERVER_ADDRESS,
      ATTR_SERVER_PORT,
    ],
    buckets: BUCKETS,
  },
};

export const waitTimeMetric: HistogramDescription = {
  name: METRIC_WAIT_TIME,
  description: 'The time it took to obtain an open connection from the pool.',
  unit: 's',
  attributes: [ATTR_POOL_NAME],
  buckets: BUCKETS,
};
