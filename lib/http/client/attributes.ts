import type { Attributes } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
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
import type { ResolvedHttpClient } from '../../options/resolved-options.js';
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
  message: OutgoingMessage,
  parsed: URL | undefined,
  { knownMethods, redactQuery }: Pick<ResolvedHttpClient, 'knownMethods' | 'redactQuery'>,
): Attributes {
  const { method, url } = message;
  return {
    ...activeAttributes(message, parsed, knownMethods),
    ...(knownMethod(method, knownMethods) === '_OTHER' && { [ATTR_HTTP_REQUEST_METHOD_ORIGINAL]: method }),
    [ATTR_URL_FULL]: redactUrl(url, redactQuery),
  };
}

/** What a request is counted by while it is under way. */
export function activeAttributes(
  { method, socketPath }: OutgoingMessage,
  parsed: URL | undefined,
  knownMethods: ReadonlySet<string>,
): Attributes {
  return definedAttributes({
    [ATTR_HTTP_REQUEST_METHOD]: knownMethod(method, knownMethods),
    [ATTR_SERVER_ADDRESS]: socketPath ?? (parsed && withoutBrackets(parsed.hostname)),
    [ATTR_SERVER_PORT]: socketPath === undefined && parsed ? urlPort(parsed) : undefined,
  });
}

/** What a request is counted by when it is over. */
export function outcomeAttributes(
  message: OutgoingMessage,
  parsed: URL | undefined,
  statusCode: number | undefined,
  protocolVersion: string | undefined,
  failure: string | undefined,
  knownMethods: ReadonlySet<string>,
): Attributes {
  return {
    ...activeAttributes(message, parsed, knownMethods),
    ...definedAttributes({
      [ATTR_HTTP_RESPONSE_STATUS_CODE]: statusCode,
      [ATTR_NETWORK_PROTOCOL_VERSION]: protocolVersion,
      [ATTR_ERROR_TYPE]: failure ?? (statusCode !== undefined && statusCode >= 400 ? String(statusCode) : undefined),
    }),
  };
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
