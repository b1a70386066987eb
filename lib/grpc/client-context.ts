import { context, type Context } from '@opentelemetry/api';
import { observe } from './guarded-call.js';
import type { ClientInterceptingCall, ClientInterceptor, ClientListener, MessageContext } from './grpc-js.js';

/**
 * Has a call tell of itself in the context in which it is started, and of each message in the one in which that is sent.
 *
 * By itself grpc-js calls back in the context of whichever call made the connection, or resolved the name: that of
 * another request.
 */
export function keepContext(call: ClientInterceptingCall): ClientInterceptingCall {
  observe(() => {
    const { start, sendMessageWithContext: send } = call;
    call.start = (metadata, listener = {}) => start.call(call, metadata, listenerIn(context.active(), listener));
    // An interceptor may have made the call by hand, without this method.
    if (typeof send !== 'function') return;
    call.sendMessageWithContext = (sending, message) => send.call(call, sendingIn(context.active(), sending), message);
  });
  return call;
}

/** For the end of a list of interceptors, so that those before it hear of a call in its own context. */
export const contextInterceptor: ClientInterceptor = (options, nextCall) => keepContext(nextCall(options));

function listenerIn(caller: Context, listener: ClientListener): ClientListener {
  return {
    onReceiveMetadata: (metadata) => context.with(caller, () => listener.onReceiveMetadata?.(metadata)),
    onReceiveMessage: (message) => context.with(caller, () => listener.onReceiveMessage?.(message)),
    onReceiveStatus: (status) => context.with(caller, () => listener.onReceiveStatus?.(status)),
  };
}

function sendingIn(sender: Context, sending: MessageContext): MessageContext {
  const { callback } = sending;
  return callback ? { ...sending, callback: context.bind(sender, callback) } : sending;
}
