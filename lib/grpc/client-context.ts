import { context, type Context } from '@opentelemetry/api';
import { callInContext } from '../core/context-manager.js';
import type { AnyMethod } from '../core/wrap-method.js';
import { traceSafely } from './trace-safely.js';
import type { ClientInterceptingCall, ClientInterceptor, ClientListener, MessageContext } from './grpc-js.js';

/**
 * Makes a call notify its listener in the context in which the call is started, and the callback of a message in the context in which the
 * message is sent.
 *
 * By itself, grpc-js calls back in the context of the call that opened the connection or resolved the name, which may belong to another
 * request.
 */
export function keepContext(call: ClientInterceptingCall): ClientInterceptingCall {
  traceSafely(() => {
    const { start, sendMessageWithContext: send } = call;
    call.start = (metadata, listener = {}) => start.call(call, metadata, bindListener(context.active(), listener));
    // An interceptor may have created the call itself, without this method.
    if (typeof send !== 'function') return;
    call.sendMessageWithContext = (sending, message) =>
      send.call(call, bindMessageContext(context.active(), sending), message);
  });
  return call;
}

/** The last interceptor of a list. It notifies the interceptors before it in the context of the call. */
export const contextInterceptor: ClientInterceptor = (options, nextCall) => keepContext(nextCall(options));

function bindListener(caller: Context, listener: ClientListener): ClientListener {
  const notify = (method: keyof ClientListener, argument: unknown): void => {
    const callback = listener[method] as AnyMethod | undefined;
    if (callback) callInContext(caller, callback, listener, [argument]);
  };
  return {
    onReceiveMetadata: (metadata) => notify('onReceiveMetadata', metadata),
    onReceiveMessage: (message) => notify('onReceiveMessage', message),
    onReceiveStatus: (status) => notify('onReceiveStatus', status),
  };
}

function bindMessageContext(sender: Context, sending: MessageContext): MessageContext {
  const { callback } = sending;
  return callback ? { ...sending, callback: context.bind(sender, callback) } : sending;
}
