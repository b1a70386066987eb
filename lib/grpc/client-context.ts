import { context, type Context } from '@opentelemetry/api';
import { activeContext, callInContext } from '../core/context-manager.js';
import type { AnyMethod } from '../core/wrap-method.js';
import { traceSafely } from './trace-safely.js';
import type {
  ClientInterceptingCall,
  ClientInterceptor,
  ClientListener,
  MessageContext,
  Metadata,
  Status,
} from './grpc-js.js';

/**
 * Passes the response of a call on to a listener, in the context in which the call was started.
 *
 * By itself, grpc-js calls back in the context of the call that opened the connection or resolved the name, which may belong to another
 * request.
 */
export class ListenerInContext implements ClientListener {
  private readonly caller: Context;

  constructor(private readonly listener: ClientListener) {
    this.caller = activeContext();
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.notify('onReceiveMetadata', metadata);
  }

  onReceiveMessage(message: unknown): void {
    this.notify('onReceiveMessage', message);
  }

  onReceiveStatus(status: Status): void {
    this.notify('onReceiveStatus', status);
  }

  private notify(method: keyof ClientListener, argument: unknown): void {
    const { caller, listener } = this;
    const callback = listener[method] as AnyMethod | undefined;
    if (callback) callInContext(caller, callback, listener, [argument]);
  }
}

/** Makes a call notify its listener in the context in which the call is started, and each sender in the context of its message. */
export function keepContext(call: ClientInterceptingCall): ClientInterceptingCall {
  traceSafely(() => {
    const { start } = call;
    call.start = (metadata, listener = {}) => start.call(call, metadata, new ListenerInContext(listener));
    keepSenders(call);
  });
  return call;
}

/** Makes a call invoke the callback of a message in the context in which the message is sent. */
export function keepSenders(call: ClientInterceptingCall): void {
  const { sendMessageWithContext: send } = call;
  // An interceptor may have created the call itself, without this method.
  if (typeof send !== 'function') return;
  call.sendMessageWithContext = (sending, message) => send.call(call, bindMessageContext(sending), message);
}

/** The last interceptor of a list. It notifies the interceptors before it in the context of the call. */
export const contextInterceptor: ClientInterceptor = (options, nextCall) => keepContext(nextCall(options));

function bindMessageContext(sending: MessageContext): MessageContext {
  const { callback } = sending;
  return callback ? { ...sending, callback: context.bind(context.active(), callback) } : sending;
}
