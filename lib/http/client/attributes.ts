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
import { copyText } from '../../core/cut-text.js';
import { definedAttributes } from '../../core/defined-attributes.js';
import type { ResolvedHttpClient } from '../../options/http-client.js';
import { urlPort } from '../../options/url-port.js';
import { knownMethod } from '../method.js';
import type { OutgoingMessage } from './outgoing-message.js';
import { redactUrl } from './url.js';

/** The length from which on the host is copied out of a URL. */
const LONG_URL = 1024;

/** The connection that a request was sent over. */
export interface Connection {
  readonly peerAddress?: string | undefined;
  readonly peerPort?: number | undefined;
  readonly protocolVersion?: string | undefined;
}

/** The attributes of a client span that are known from the request alone. */
export function clientRequestAttributes(
  message: OutgoingMessage,
  destination: URL | undefined,
  { knownMethods, redactQuery }: Pick<ResolvedHttpClient, 'knownMethods' | 'redactQuery'>,
): Attributes {
  const { method, url } = message;
  return {
    ...clientActiveAttributes(message, destination, knownMethods),
    ...(knownMethod(method, knownMethods) === '_OTHER' && { [ATTR_HTTP_REQUEST_METHOD_ORIGINAL]: method }),
    [ATTR_URL_FULL]: redactUrl(url, redactQuery),
  };
}

/**
 * The attributes that a request in progress is counted by.
 *
 * @param destination the URL that the request is sent to
 */
export function clientActiveAttributes(
  { hasUnknownPort, method, socketPath }: OutgoingMessage,
  destination: URL | undefined,
  knownMethods: ReadonlySet<string>,
): Attributes {
  const hasSocketPath = socketPath !== undefined;
  return definedAttributes({
    [ATTR_HTTP_REQUEST_METHOD]: knownMethod(method, knownMethods),
    [ATTR_SERVER_ADDRESS]: hasSocketPath ? socketPath : destination && hostWithoutBrackets(destination),
    [ATTR_SERVER_PORT]: hasSocketPath || hasUnknownPort || !destination ? undefined : urlPort(destination),
  });
}

/** The attributes that a request is measured by when it has ended. */
export function clientOutcomeAttributes(
  message: OutgoingMessage,
  destination: URL | undefined,
  statusCode: number | undefined,
  protocolVersion: string | undefined,
  failure: string | undefined,
  knownMethods: ReadonlySet<string>,
): Attributes {
  return {
    ...clientActiveAttributes(message, destination, knownMethods),
    ...definedAttributes({
      [ATTR_HTTP_RESPONSE_STATUS_CODE]: statusCode,
      [ATTR_NETWORK_PROTOCOL_VERSION]: protocolVersion,
      [ATTR_ERROR_TYPE]: isErrorStatus(statusCode) ? String(statusCode) : failure,
    }),
  };
}

/** True if a response with this status code makes the request a failure, whatever happens to the rest of the response. */
export function isErrorStatus(statusCode: number | undefined): statusCode is number {
  return statusCode !== undefined && statusCode >= 400;
}

/** The attributes of a client span that are known from the response. */
export function clientResponseAttributes(
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

/** The host of a URL; an IPv6 address without its brackets. */
function hostWithoutBrackets({ hostname, href }: URL): string {
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  // The host is a view of the whole URL. A copy does not keep a long URL in memory.
  return href.length > LONG_URL ? copyText(host) : host;
}
