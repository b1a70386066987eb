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

/** Characters of a URL from which on its host is copied out of it. */
const LONG_URL = 1024;

/** The connection that a request went over. */
export interface Connection {
  readonly peerAddress?: string | undefined;
  readonly peerPort?: number | undefined;
  readonly protocolVersion?: string | undefined;
}

/** The attributes of a client span that its request alone tells. */
export function requestAttributes(
  message: OutgoingMessage,
  destination: URL | undefined,
  { knownMethods, redactQuery }: Pick<ResolvedHttpClient, 'knownMethods' | 'redactQuery'>,
): Attributes {
  const { method, url } = message;
  return {
    ...activeAttributes(message, destination, knownMethods),
    ...(knownMethod(method, knownMethods) === '_OTHER' && { [ATTR_HTTP_REQUEST_METHOD_ORIGINAL]: method }),
    [ATTR_URL_FULL]: redactUrl(url, redactQuery),
  };
}

/**
 * What a request is counted by while it is under way.
 *
 * @param destination where it is sent to, as a URL
 */
export function activeAttributes(
  { hasUnknownPort, method, socketPath }: OutgoingMessage,
  destination: URL | undefined,
  knownMethods: ReadonlySet<string>,
): Attributes {
  const isFile = socketPath !== undefined;
  return definedAttributes({
    [ATTR_HTTP_REQUEST_METHOD]: knownMethod(method, knownMethods),
    [ATTR_SERVER_ADDRESS]: isFile ? socketPath : destination && hostOf(destination),
    [ATTR_SERVER_PORT]: isFile || hasUnknownPort || !destination ? undefined : urlPort(destination),
  });
}

/** What a request is counted by when it is over. */
export function outcomeAttributes(
  message: OutgoingMessage,
  destination: URL | undefined,
  statusCode: number | undefined,
  protocolVersion: string | undefined,
  failure: string | undefined,
  knownMethods: ReadonlySet<string>,
): Attributes {
  return {
    ...activeAttributes(message, destination, knownMethods),
    ...definedAttributes({
      [ATTR_HTTP_RESPONSE_STATUS_CODE]: statusCode,
      [ATTR_NETWORK_PROTOCOL_VERSION]: protocolVersion,
      [ATTR_ERROR_TYPE]: isErrorStatus(statusCode) ? String(statusCode) : failure,
    }),
  };
}

/** True if an answer with this status makes its request a failed one, whatever became of the rest of the answer. */
export function isErrorStatus(statusCode: number | undefined): statusCode is number {
  return statusCode !== undefined && statusCode >= 400;
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

function hostOf({ hostname, href }: URL): string {
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  // The name is a view of the whole URL, which may be a long one.
  return href.length > LONG_URL ? copyText(host) : host;
}
