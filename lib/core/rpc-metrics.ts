import {
  ATTR_ERROR_TYPE,
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_RPC_SYSTEM_NAME,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  METRIC_RPC_CLIENT_CALL_DURATION,
  METRIC_RPC_SERVER_CALL_DURATION,
} from '@opentelemetry/semantic-conventions';
import { DURATION_BUCKETS } from './duration.js';
import type { OperationMetrics } from './operation-meter.js';

/** The type of a call, one of four. The semantic conventions have no such attribute; the values are those of other languages' gRPC metrics. */
export const ATTR_CALL_TYPE = 'rpc.grpc.call_type';

const ATTRIBUTES = [ATTR_RPC_SYSTEM_NAME, ATTR_RPC_METHOD, ATTR_RPC_STATUS_CODE, ATTR_ERROR_TYPE];
const ACTIVE_ATTRIBUTES = [ATTR_RPC_SYSTEM_NAME, ATTR_RPC_METHOD, ATTR_CALL_TYPE];

/** The metrics of remote procedure calls that the application serves: gRPC calls, and requests over the other transports of Nest. */
export const serverCallMetrics: OperationMetrics = {
  duration: {
    name: METRIC_RPC_SERVER_CALL_DURATION,
    description: 'Duration of incoming calls, of streams until they are closed or cancelled.',
    unit: 's',
    attributes: ATTRIBUTES,
    buckets: DURATION_BUCKETS,
  },
  active: {
    name: 'rpc.server.active_calls',
    description: 'Number of incoming calls and streams that are under way.',
    unit: '{call}',
    attributes: ACTIVE_ATTRIBUTES,
  },
};

/** The metrics of remote procedure calls that the application makes. */
export const clientCallMetrics: OperationMetrics = {
  duration: {
    name: METRIC_RPC_CLIENT_CALL_DURATION,
    description: 'Duration of outgoing calls, of streams until they are closed or cancelled.',
    unit: 's',
    attributes: [...ATTRIBUTES, ATTR_SERVER_ADDRESS, ATTR_SERVER_PORT],
    buckets: DURATION_BUCKETS,
  },
  active: {
    name: 'rpc.client.active_calls',
    description: 'Number of outgoing calls and streams that are under way.',
    unit: '{call}',
    attributes: ACTIVE_ATTRIBUTES,
  },
};
