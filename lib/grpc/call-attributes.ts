import { SpanStatusCode, type Attributes } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_RPC_SYSTEM_NAME,
  RPC_SYSTEM_NAME_VALUE_GRPC,
} from '@opentelemetry/semantic-conventions';
import type { Operation } from '../core/operation.js';
import { OK, isError, statusName, UNKNOWN } from './status-code.js';
import type { Status } from './grpc-js.js';

/** `package.Service/Method`: the name of the method, and of its spans. */
export function methodName(path: string): string {
  return path.startsWith('/') ? path.slice(1) : path;
}

/** What a call's span has from its start. */
export function callAttributes(method: string): Attributes {
  return { [ATTR_RPC_SYSTEM_NAME]: RPC_SYSTEM_NAME_VALUE_GRPC, [ATTR_RPC_METHOD]: method };
}

/** Notes how a call has ended, as the conventions want it of that side. */
export function setCallStatus(
  operation: Operation,
  { code = UNKNOWN, details }: Status,
  side: 'server' | 'client',
): void {
  const { span } = operation;
  const name = statusName(code);
  span.setAttribute(ATTR_RPC_STATUS_CODE, name);
  if (code === OK || !isError(code, side)) return;
  span.setAttribute(ATTR_ERROR_TYPE, name);
  span.setStatus({ code: SpanStatusCode.ERROR, ...(details && { message: details }) });
}

/** Not among the stable conventions: attributes of metadata that is recorded on request. */
export const requestHeaderAttribute = (name: string): string => `rpc.request.header.${name}`;
export const responseHeaderAttribute = (name: string): string => `rpc.response.header.${name}`;
export const responseTrailerAttribute = (name: string): string => `rpc.response.trailer.${name}`;
