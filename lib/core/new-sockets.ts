import { ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { subscribeChannels } from './channel.js';
import { enterContext, leaveContext } from './context-manager.js';

/** The message of the outermost call that is running and may open a socket. */
let running: object | undefined;
/** True if the call has opened a socket, so that the rest of it runs outside of any request. */
let isOutside = false;
/** The context that the call has left. */
let left: Context | undefined;

/**
 * Lets the calls on a tracing channel leave the request when they are about to open a socket by `net.connect()`, until the returned function is
 * called. A socket lives on after the request, and must not keep its context. Most calls open none, and it would take several times as long to
 * change the context of all of them.
 */
export function openSocketsOutside(name: string): () => void {
  const unsubscribe = subscribeChannels({
    [`tracing:${name}:start`]: (message: object) => {
      running ??= message;
    },
    'net.client.socket': leaveRequest,
    [`tracing:${name}:end`]: (message: object) => {
      if (message === running) returnToRequest();
    },
  });
  return () => {
    unsubscribe();
    returnToRequest();
  };
}

function leaveRequest(): void {
  if (!running || isOutside) return;
  isOutside = true;
  left = enterContext(ROOT_CONTEXT);
}

function returnToRequest(): void {
  running = undefined;
  if (!isOutside) return;
  isOutside = false;
  leaveContext(left);
  left = undefined;
}
