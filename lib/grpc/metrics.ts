import { ATTR_ERROR_TYPE, ATTR_RPC_STATUS_CODE } from '@opentelemetry/semantic-conventions';
import type { Attributes } from '@opentelemetry/api';
import { ATTR_CALL_TYPE } from '../core/rpc-metrics.js';
import { callAttributes } from './call-attributes.js';
import type { MethodDefinition, Status } from './grpc-js.js';
import { isErrorCode, statusName, UNKNOWN } from './status-code.js';

/** Returns the attributes of the metric of active calls. */
export function activeCallAttributes(method: string, { requestStream, responseStream }: MethodDefinition): Attributes {
  const streams = responseStream ? 'server_stream' : 'unary';
  return {
    ...callAttributes(method),
    [ATTR_CALL_TYPE]: requestStream ? (responseStream ? 'bidi_stream' : 'client_stream') : streams,
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
