import type { Attributes } from '@opentelemetry/api';
import {
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_REQUEST_METHOD_ORIGINAL,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_FULL,
} from '@opentelemetry/semantic-conventions';
import { definedAttributes } from '../../core/defined-attributes.js';
import { urlPort } from '../../options/url-port.js';
import { knownMethod } from '../method.js';
import type { OutgoingMessage } from './outgoing-message.js';
import { redactUrl } from './url.js';

/** The connection that a request went over. */
export interface Connection {
  readonly peerAddress?: string | undefined;
  readonly peerPort?: number | undefined;
  readonly protocolVersion?: string | undefined;
}

/** The attributes of a client span that its request alone tells. */
export function requestAttributes(
  { method: original, url, socketPath }: OutgoingMessage,
  parsed: URL | undefined,
  isSecret: (parameter: string) => boolean,
): Attributes {
  const method = knownMethod(original);
  return definedAttributes({
    [ATTR_HTTP_REQUEST_METHOD]: method,
    [ATTR_HTTP_REQUEST_METHOD_ORIGINAL]: method === '_OTHER' ? original : undefined,
    [ATTR_URL_FULL]: redactUrl(url, isSecret),
    [ATTR_SERVER_ADDRESS]: socketPath ?? (parsed && withoutBrackets(parsed.hostname)),
    [ATTR_SERVER_PORT]: socketPath === undefined && parsed ? urlPort(parsed) : undefined,
  });
}

/** The attributes of a client span that only its answer tells. */
export function answerAttributes(
  statusCode: number | undefined,
  { peerAddress, peerPort, protocolVersion }: Connection,
): Attributes {
  return definedAttributes({
    [ATTR_HTTP_RESPONSE_STATUS_CODE]: statusCode,
    [ATTR_NETWORK_PEER_ADDRESS]: peerAddress,
    [ATTR_NETWORK_PEER_PORT]: peerPort,
    [ATTR_NETWORK_PROTOCOL_VERSION]: protocolVersion,
  });
}

function withoutBrackets(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}
