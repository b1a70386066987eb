import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_URL_SCHEME,
  METRIC_HTTP_SERVER_REQUEST_DURATION,
} from '@opentelemetry/semantic-conventions';
import { DURATION_BUCKETS } from '../../core/duration.js';
import type { OperationMetrics } from '../../core/operation-meter.js';

/** The metrics of incoming requests. Their attributes have few values each, and the client cannot choose them. */
export const serverRequestMetrics: OperationMetrics = {
  duration: {
    name: METRIC_HTTP_SERVER_REQUEST_DURATION,
    description: 'Duration of HTTP server requests.',
    unit: 's',
    attributes: [
      ATTR_HTTP_REQUEST_METHOD,
      ATTR_URL_SCHEME,
      ATTR_HTTP_ROUTE,
      ATTR_HTTP_RESPONSE_STATUS_CODE,
      ATTR_ERROR_TYPE,
      ATTR_NETWORK_PROTOCOL_VERSION,
    ],
    buckets: DURATION_BUCKETS,
  },
  active: {
    // In development, so not among the package's stable names.
    name: 'http.server.active_requests',
    description: 'Number of HTTP server requests that are under way.',
    unit: '{request}',
    attributes: [ATTR_HTTP_REQUEST_METHOD, ATTR_URL_SCHEME],
  },
};
