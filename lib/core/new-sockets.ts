import { ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { subscribeChannels } from './channel.js';
import { enterContext, leaveContext } from './context-manager.js';

/** The outermost call that is running and may open a socket. */
let running: object | undefined;
/** True if it has opened one, so that the rest of it runs outside of any request. */
let isOutside = false;
/** The context that it has left. */
let left: Context | undefined;

/**
 * Begins a synchronous call that may open sockets, until `endOpeningSockets()` with the same object. When `net.connect()` is about to open one, the
 * call leaves the request: a socket lives on after it, and must not keep its context. Most calls open none, and it would take several times as
 * long to change the context of all of them.
 */
export function startOpeningSockets(call: object): void {
  running ??= call;
}

/** Ends a call. Nothing happens if it has not begun, or within another one. */
export function endOpeningSockets(call: object): void {
  if (call !== running) return;
  running = undefined;
  if (!isOutside) return;
  isOutside = false;
  leaveContext(left);
  left = undefined;
}

/** Notices the sockets that are opened in such calls, until the returned function is called. */
export function followNewSockets(): () => void {
  const unsubscribe = subscribeChannels({
    'net.client.socket': () => {
      if (!running || isOutside) return;
      isOutside = true;
      left = enterContext(ROOT_CONTEXT);
    },
  });
  return () => {
    unsubscribe();
    // Nothing tells of the end of a call that is running now.
    if (running) endOpeningSockets(running);
  };
}
