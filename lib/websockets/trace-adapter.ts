import { callSafely, warn } from '../core/diagnostics.js';
import { interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import { settle } from '../core/settle.js';
import { callBehindOthers } from '../core/instrumented-methods.js';
import { cutText } from '../core/cut-text.js';
import type { AnyMethod } from '../core/wrap-method.js';
import { MAX_TEXT } from './attributes.js';
import { answerInContext, keepContext } from './answer-context.js';
import { trackConnection } from './active-connections.js';
import { MessageWork, SocketMessage } from './socket-message.js';
import type { SocketTracing } from './tracing.js';

/** The object that Nest passes to an adapter for each handler of a gateway. */
interface MessageHandler {
  readonly message: unknown;
  /** Runs guards, pipes, interceptors, the handler and filters. The gateway and the client are bound to it. */
  readonly callback: AnyMethod;
}

/**
 * Instruments the adapter of an application, of Socket.IO, ws or another library. Call it before the adapter serves a client. Returns a
 * function that undoes it.
 *
 * Nest passes the handlers of each client to `bindMessageHandlers()` of the adapter. The adapter decides when it calls which one, so that
 * the handlers that it gets are all that has to be traced, however it works.
 */
export function traceAdapter(adapter: object, tracing: SocketTracing): () => void {
  const undos = [
    interceptMethod(adapter, 'bindMessageHandlers', (method, thisArg, [client, handlers, transform, ...rest]) => {
      const traced = callSafely('Tracing the messages of a client', () => traceHandlers(handlers, client, tracing));
      if (!traced) return Reflect.apply(method, thisArg, [client, handlers, transform, ...rest]);
      return Reflect.apply(method, thisArg, [client, traced, answerInContext(transform), ...rest]);
    }),
    // The gateway's method for a connection has a span, beside which another instrumentation would have one for the event.
    interceptMethod(adapter, 'bindClientConnect', (method, thisArg, args) =>
      callBehindOthers(args[0], 'on', () => Reflect.apply(method, thisArg, args)),
    ),
    tracing.activeConnections &&
      interceptMethod(adapter, 'bindClientDisconnect', (method, thisArg, [client, callback, ...rest]) => {
        const tracked = callSafely('Counting a connection', () => trackConnection(client, callback, tracing));
        return Reflect.apply(method, thisArg, [client, tracked ?? callback, ...rest]);
      }),
  ];
  if (!undos[0])
    warn('nest-hooks', 'The messages of WebSocket clients cannot be traced: the adapter allows no change.');
  return () => {
    for (const undo of undos) undo?.();
  };
}

function traceHandlers(handlers: unknown, client: unknown, tracing: SocketTracing): unknown {
  if (!Array.isArray(handlers)) return undefined;
  return handlers.map((handler: unknown) =>
    isMessageHandler(handler) ? traceHandler(handler, client, tracing) : handler,
  );
}

function traceHandler(handler: MessageHandler, client: unknown, tracing: SocketTracing): MessageHandler {
  const { callback, message } = handler;
  const event = eventName(message);
  const traced = new Proxy(callback, {
    apply(target, thisArg, args) {
      let work: MessageWork | undefined;
      const start = () => (work = new MessageWork(new SocketMessage(event, client, args, tracing)));
      return keepContext(settle(start, target, thisArg, args), work?.context);
    },
  });
  return { ...handler, callback: traced };
}

function isMessageHandler(handler: unknown): handler is MessageHandler {
  return isObject(handler) && 'callback' in handler && typeof handler.callback === 'function' && 'message' in handler;
}

/** Returns the event of a handler as a text: an adapter may accept other patterns. */
function eventName(message: unknown): string {
  const text = typeof message === 'string' ? message : callSafely('An event', () => JSON.stringify(message));
  return cutText(text ?? '_OTHER', MAX_TEXT);
}
