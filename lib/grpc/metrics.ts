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
import type { Attributes } from '@opentelemetry/api';
import { DURATION_BUCKETS } from '../core/duration.js';
import type { OperationMetrics } from '../core/operation-meter.js';
import { callAttributes } from './call-attributes.js';
import type { MethodDefinition, Status } from './grpc-js.js';
import { isErrorCode, statusName, UNKNOWN } from './status-code.js';

/** The type of a call, one of four. The semantic conventions have no such attribute; the values are those of other languages' gRPC metrics. */
const CALL_TYPE = 'rpc.grpc.call_type';

const ATTRIBUTES = [ATTR_RPC_SYSTEM_NAME, ATTR_RPC_METHOD, ATTR_RPC_STATUS_CODE, ATTR_ERROR_TYPE];
const ACTIVE_ATTRIBUTES = [ATTR_RPC_SYSTEM_NAME, ATTR_RPC_METHOD, CALL_TYPE];

export const serverCallMetrics: OperationMetrics = {
  duration: {
    name: METRIC_RPC_SERVER_CALL_DURATION,
    description: 'Duration of incoming gRPC calls, of streams until they are closed or cancelled.',
    unit: 's',
    attributes: ATTRIBUTES,
    buckets: DURATION_BUCKETS,
  },
  active: {
    name: 'rpc.server.active_calls',
    description: 'Number of incoming gRPC calls and streams that are under way.',
    unit: '{call}',
    attributes: ACTIVE_ATTRIBUTES,
  },
};

export const clientCallMetrics: OperationMetrics = {
  duration: {
    name: METRIC_RPC_CLIENT_CALL_DURATION,
    description: 'Duration of outgoing gRPC calls, of streams until they are closed or cancelled.',
    unit: 's',
    attributes: [...ATTRIBUTES, ATTR_SERVER_ADDRESS, ATTR_SERVER_PORT],
    buckets: DURATION_BUCKETS,
  },
  active: {
    name: 'rpc.client.active_calls',
    description: 'Number of outgoing gRPC calls and streams that are under way.',
    unit: '{call}',
    attributes: ACTIVE_ATTRIBUTES,
  },
};

/** Returns the attributes of the metric of active calls. */
export function activeCallAttributes(method: string, { requestStream, responseStream }: MethodDefinition): Attributes {
  const streams = responseStream ? 'server_stream' : 'unary';
  return {
    ...callAttributes(method),
    [CALL_TYPE]: requestStream ? (responseStream ? 'bidi_stream' : 'client_stream') : streams,
  };
}

/** Returns the attributes of the duration metric, when a call is over. */
export function endedCallAttributes(
  method: string,
  { code = UNKNOWN }: Pick<Status, 'code'>,
  side: 'server' | 'client',
): Attributes {
  const name = statusName(code);
  return {
    ...callAttributes(method),
    [ATTR_RPC_STATUS_CODE]: name,
    ...(isErrorCode(code, side) && { [ATTR_ERROR_TYPE]: name }),
  };
}
