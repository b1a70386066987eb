import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  METRIC_HTTP_CLIENT_REQUEST_DURATION,
} from '@opentelemetry/semantic-conventions';
import { DURATION_BUCKETS } from '../../core/duration.js';
import type { OperationMetrics } from '../../core/operation-meter.js';

export const clientRequestMetrics: OperationMetrics = {
  duration: {
    name: METRIC_HTTP_CLIENT_REQUEST_DURATION,
    description: 'Duration of HTTP client requests.',
    unit: 's',
    attributes: [
      ATTR_HTTP_REQUEST_METHOD,
      ATTR_SERVER_ADDRESS,
      ATTR_SERVER_PORT,
      ATTR_HTTP_RESPONSE_STATUS_CODE,
      ATTR_ERROR_TYPE,
      ATTR_NETWORK_PROTOCOL_VERSION,
    ],
    buckets: DURATION_BUCKETS,
  },
  active: {
    // Still in development, so the package does not export this name as stable.
    name: 'http.client.active_requests',
    description: 'Number of HTTP client requests in progress.',
    unit: '{request}',
    attributes: [ATTR_HTTP_REQUEST_METHOD, ATTR_SERVER_ADDRESS, ATTR_SERVER_PORT],
  },
};
