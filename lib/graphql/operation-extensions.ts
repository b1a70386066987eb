import { types } from 'node:util';
import { callSafely } from '../core/diagnostics.js';
import { isObject } from '../core/is-object.js';
import type { AnyMethod } from '../core/wrap-method.js';

/** The name under which Nest's drivers for Apollo take the options of the WebSocket server. */
const WEBSOCKET_SERVER = 'graphql-ws';

/** The members of the options of Apollo's drivers that are used here. */
interface WebSocketOptions {
  readonly context?: unknown;
  readonly subscriptions?: Readonly<Record<string, unknown>> | undefined;
  readonly installSubscriptionHandlers?: boolean | undefined;
}

/** The extensions of the operations that have come over a WebSocket, by the context value of each. Null if several operations share one. */
const extensionsOf = new WeakMap<object, object | null>();

/** Returns what a client has sent with one operation over a WebSocket, beside the document. Undefined if that is unknown. */
export function operationExtensions(contextValue: unknown): object | undefined {
  return isObject(contextValue) ? (extensionsOf.get(contextValue) ?? undefined) : undefined;
}

/**
 * Makes the extensions of each operation over a WebSocket known. The server asks a function for the context value of an operation; a function
 * takes its place that remembers with what the server has called it. The options of the application stay as they are.
 */
export function watchExtensions(options: object): void {
  const { context: shared, installSubscriptionHandlers, subscriptions } = options as WebSocketOptions;
  if (!subscriptions && !installSubscriptionHandlers) return;
  const given = subscriptions ?? { [WEBSOCKET_SERVER]: {} };
  const server = given[WEBSOCKET_SERVER];
  if (!(WEBSOCKET_SERVER in given)) return;
  const ofServer = isObject(server) ? (server as { context?: unknown }) : {};
  const createContext = 'context' in ofServer ? ofServer.context : shared;
  if (typeof createContext !== 'function') return;
  const watched = { ...ofServer, context: watchContext(createContext as AnyMethod) };
  Object.assign(options, { subscriptions: { ...given, [WEBSOCKET_SERVER]: watched } });
}

/** Returns a function for the context value of an operation: it gets the connection, the id of the operation and its message. */
function watchContext(createContext: AnyMethod): AnyMethod {
  return function createWatchedContext(this: unknown, ...args: unknown[]): unknown {
    const result: unknown = Reflect.apply(createContext, this, args);
    const note = (value: unknown) => callSafely('The extensions of an operation', () => remember(value, args[2]));
    // The server awaits the promise, and calls the resolvers later.
    if (types.isPromise(result)) void result.then(note, () => {});
    else note(result);
    return result;
  };
}

function remember(contextValue: unknown, message: unknown): void {
  if (!isObject(contextValue)) return;
  const { extensions } = (isObject(message) ? message : {}) as { extensions?: unknown };
  if (extensionsOf.has(contextValue)) extensionsOf.set(contextValue, null);
  else if (isObject(extensions)) extensionsOf.set(contextValue, extensions);
}
