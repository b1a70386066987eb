import { SpanStatusCode, type Attributes } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_RPC_SYSTEM_NAME,
  RPC_SYSTEM_NAME_VALUE_GRPC,
} from '@opentelemetry/semantic-conventions';
import { definedAttributes } from '../core/defined-attributes.js';
import { headerAttributes, type RecordedHeader } from '../core/header-attributes.js';
import type { Operation } from '../core/operation.js';
import type { Address } from './address.js';
import { OK, isErrorCode, statusName, UNKNOWN } from './status-code.js';
import type { Metadata, Status } from './grpc-js.js';
import { metadataText } from './metadata-carrier.js';

/** Returns `package.Service/Method`, the name of a method and of its spans. */
export function methodName(path: string): string {
  return path.startsWith('/') ? path.slice(1) : path;
}

/** Returns the attributes that the span of a call has from its start. */
export function callAttributes(method: string): Attributes {
  return { [ATTR_RPC_SYSTEM_NAME]: RPC_SYSTEM_NAME_VALUE_GRPC, [ATTR_RPC_METHOD]: method };
}

/** Sets the status of a call's span, by the rules of the semantic conventions for that side. */
export function setCallStatus(
  operation: Operation,
  { code = UNKNOWN, details }: Status,
  side: 'server' | 'client',
): void {
  const { span } = operation;
  const name = statusName(code);
  span.setAttribute(ATTR_RPC_STATUS_CODE, name);
  if (code === OK || !isErrorCode(code, side)) return;
  span.setAttribute(ATTR_ERROR_TYPE, name);
  span.setStatus({ code: SpanStatusCode.ERROR, ...(details && { message: details }) });
}

/** The parts of a call that have metadata: the request, the response before its messages, and the response after them. */
export type MetadataPart = 'request.header' | 'response.header' | 'response.trailer';

/** Returns attributes of the metadata that the options name. They are not part of the stable semantic conventions. */
export function metadataAttributes(
  recorded: readonly RecordedHeader[],
  part: MetadataPart,
  metadata: Metadata,
): Attributes {
  return headerAttributes(
    recorded,
    (name) => `rpc.${part}.${name}`,
    (name) => metadataText(metadata, name),
  );
}

/** Returns the attributes of the peer of a call's connection. */
export function peerAttributes(peer: Address | undefined): Attributes {
  return definedAttributes({ [ATTR_NETWORK_PEER_ADDRESS]: peer?.address, [ATTR_NETWORK_PEER_PORT]: peer?.port });
}
