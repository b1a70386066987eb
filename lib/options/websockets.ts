import { TracingConfigurationError } from '../tracing.errors.js';
import { parseFunction } from './parse.js';
import { compileAny, compileRegExp, compileWildcard } from './pattern.js';
import { readOption } from './setting.js';
import { groupIfOn, isOn } from './switch.js';
import type { BooleanOption } from './text-types.js';
import { resolveTrust } from './trust.js';

/** The name of an event, a name with `*` for any characters (`chat.*`), or a regular expression. */
export type SocketEventPattern = string | RegExp;

/** The part of a message of a WebSocket client that options can use. */
export interface IncomingSocketMessage {
  /** The event of `@SubscribeMessage()`; `connect` or `disconnect` for the methods of a gateway that handle these. */
  readonly event: string;
  /** The data that the client has sent. */
  readonly data: unknown;
  /** The socket of the client: that of Socket.IO or ws. */
  readonly client: unknown;
}

/** How the messages of WebSocket clients are traced. */
export interface WebSocketOptions {
  /**
   * Messages that are not traced: events, or a function of the message. Work within such a message is not traced either.
   * @default []
   */
  ignore?:
    SocketEventPattern | readonly SocketEventPattern[] | ((message: IncomingSocketMessage) => boolean) | undefined;

  /**
   * True if the trace context of a client is continued. If it is not, the message starts a new trace with a link to the client's span,
   * which suits a service that is open to the internet. A function that throws counts as false.
   * @default true
   */
  trustIncoming?: BooleanOption | ((message: IncomingSocketMessage) => boolean) | undefined;

  /**
   * Returns the object in which a message carries its trace context, with the names of the headers as keys: `traceparent` and so on.
   * Undefined if the message carries none.
   * @default the object `_meta` in the data of the message
   */
  carrier?: ((message: IncomingSocketMessage) => object | undefined) | undefined;

  /**
   * True if calls of `handleConnection()` and `handleDisconnect()` have spans.
   * @default true
   */
  connections?: BooleanOption | undefined;
}

export interface ResolvedWebSockets {
  /** True if a message is not traced. It throws if the application's function throws. Undefined if every message is traced. */
  readonly ignore: ((message: IncomingSocketMessage) => boolean) | undefined;
  /** True if a client's trace context is continued. It throws if the application's function throws. Undefined if it always is. */
  readonly trustIncoming: ((message: IncomingSocketMessage) => boolean) | undefined;
  readonly carrier: WebSocketOptions['carrier'];
  readonly connections: boolean;
}

/** Resolves how the messages of WebSocket clients are traced. Returns undefined if they are not. */
export function resolveWebSockets(given: WebSocketOptions | BooleanOption | undefined): ResolvedWebSockets | undefined {
  const options = groupIfOn<WebSocketOptions>('websockets', given, {
    ignore: true,
    trustIncoming: true,
    carrier: true,
    connections: true,
  });
  if (!options) return undefined;
  const setting = (key: keyof WebSocketOptions) => readOption(`websockets.${key}`, options[key]);
  return Object.freeze({
    ignore: ignorePredicate(options.ignore),
    trustIncoming: resolveTrust<IncomingSocketMessage>(setting('trustIncoming')),
    carrier: parseFunction<ResolvedWebSockets['carrier']>(setting('carrier')),
    connections: isOn('websockets.connections', options.connections, true),
  });
}

function ignorePredicate(given: WebSocketOptions['ignore']): ResolvedWebSockets['ignore'] {
  if (given === undefined || typeof given === 'function') return given;
  const matches = compileAny('websockets.ignore', given, compileEventPattern);
  return ({ event }) => matches(event);
}

function compileEventPattern(option: string, pattern: unknown): (event: string) => boolean {
  if (pattern instanceof RegExp) return compileRegExp(pattern);
  if (typeof pattern === 'string' && pattern !== '') return compileWildcard(pattern);
  throw new TracingConfigurationError(
    option,
    pattern,
    'Write an event, such as typing or chat.*, or a regular expression.',
  );
}
