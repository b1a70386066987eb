import type { Attributes, AttributeValue } from '@opentelemetry/api';
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
import { knownMethod } from '../method.js';
import type { OutgoingMessage } from './outgoing-message.js';
import { redactUrl } from './url.js';

/** Ports that a URL leaves out. */
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

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
  return present({
    [ATTR_HTTP_REQUEST_METHOD]: method,
    [ATTR_HTTP_REQUEST_METHOD_ORIGINAL]: method === '_OTHER' ? original : undefined,
    [ATTR_URL_FULL]: redactUrl(url, isSecret),
    [ATTR_SERVER_ADDRESS]: socketPath ?? (parsed && withoutBrackets(parsed.hostname)),
    [ATTR_SERVER_PORT]: socketPath === undefined && parsed ? portOf(parsed) : undefined,
  });
}

/** The attributes of a client span that only its answer tells. */
export function answerAttributes(
  statusCode: number | undefined,
  { peerAddress, peerPort, protocolVersion }: Connection,
): Attributes {
  return present({
    [ATTR_HTTP_RESPONSE_STATUS_CODE]: statusCode,
    [ATTR_NETWORK_PEER_ADDRESS]: peerAddress,
    [ATTR_NETWORK_PEER_PORT]: peerPort,
    [ATTR_NETWORK_PROTOCOL_VERSION]: protocolVersion,
  });
}

function present(attributes: Record<string, AttributeValue | undefined>): Attributes {
  for (const key of Object.keys(attributes)) if (attributes[key] === undefined) delete attributes[key];
  return attributes;
}

function withoutBrackets(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

function portOf({ port, protocol }: URL): number | undefined {
  return port === '' ? DEFAULT_PORTS[protocol] : Number(port);
}
