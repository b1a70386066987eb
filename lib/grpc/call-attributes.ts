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
import { OK, isError, statusName, UNKNOWN } from './status-code.js';
import type { Metadata, Status } from './grpc-js.js';
import { metadataText } from './metadata-carrier.js';

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

/** Metadata of a call: the caller's, what comes before the answer, and what comes after it. */
export type MetadataPart = 'request.header' | 'response.header' | 'response.trailer';

/** Attributes of metadata that is recorded on request; they are not among the stable conventions. */
export function metadataAttributes(
  wanted: readonly RecordedHeader[],
  part: MetadataPart,
  metadata: Metadata,
): Attributes {
  return headerAttributes(
    wanted,
    (name) => `rpc.${part}.${name}`,
    (name) => metadataText(metadata, name),
  );
}

/** The other end of a call's connection, as far as it is known. */
export function peerAttributes(peer: Address | undefined): Attributes {
  return definedAttributes({ [ATTR_NETWORK_PEER_ADDRESS]: peer?.address, [ATTR_NETWORK_PEER_PORT]: peer?.port });
}
