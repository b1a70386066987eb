import type { Attributes } from '@opentelemetry/api';
import { ATTR_CLIENT_ADDRESS, ATTR_USER_AGENT_ORIGINAL } from '@opentelemetry/semantic-conventions';
import { cutText } from '../core/cut-text.js';
import { definedAttributes } from '../core/defined-attributes.js';
import type { Handshake, SocketClient } from './socket-client.js';

/*
 * The semantic conventions have no attributes for messages over WebSockets. These are named like those of other protocols.
 */

/** The event of `@SubscribeMessage()`. */
export const ATTR_EVENT = 'websocket.event';
/** The namespace of Socket.IO, as the client has named it. In metrics, one that a gateway has as a text. */
export const ATTR_NAMESPACE = 'websocket.namespace';
/** The public id of a socket of Socket.IO. */
const ATTR_CONNECTION_ID = 'websocket.connection.id';
/** True if the client has asked for an acknowledgement. */
export const ATTR_ACK_REQUESTED = 'websocket.ack.requested';
/** The number of answers that the handler has given. */
export const ATTR_ANSWERS = 'websocket.answers';
/** The reason for which a client was disconnected: a text of Socket.IO, or the close code of the WebSocket protocol. */
export const ATTR_DISCONNECT_REASON = 'websocket.disconnect.reason';
/** Among the names that are not stable yet, which the package does not export. `socket.io` is the protocol above WebSockets and polling. */
export const ATTR_PROTOCOL = 'network.protocol.name';

/** The number of characters of an event, a namespace or a reason. */
export const MAX_TEXT = 128;

/** Returns the attributes that every span of a client has. */
export function clientAttributes({ id, namespace, protocol }: SocketClient): Attributes {
  return definedAttributes({
    [ATTR_PROTOCOL]: protocol,
    [ATTR_NAMESPACE]: namespace && cutText(namespace, MAX_TEXT),
    [ATTR_CONNECTION_ID]: id && cutText(id, MAX_TEXT),
  });
}

/** Returns the attributes of the request with which a client has connected. */
export function handshakeAttributes({ address, headers }: Handshake): Attributes {
  const userAgent = headers['user-agent'];
  return definedAttributes({
    [ATTR_CLIENT_ADDRESS]: address,
    [ATTR_USER_AGENT_ORIGINAL]: typeof userAgent === 'string' ? userAgent : undefined,
  });
}
