import { context, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { heldChannel, subscribeChannels } from './channel.js';
import { activeContext, contextStorage, ownsActiveContext } from './context-manager.js';
import { reportIgnored } from './diagnostics.js';
import { endOpeningSockets, followNewSockets, startOpeningSockets } from './new-sockets.js';

/** A call that a library announces on a tracing channel. Exactly one of its methods is called, and then no more than once. */
export interface ChannelCall {
  /** The context in which the library works on the call. Undefined for that of the caller. It has no effect for a leaf. */
  readonly context?: Context | undefined;
  succeed(result: unknown): void;
  fail(error: unknown): void;
}

/** The key of the state in a message: a message is made for one call, and a WeakMap would cost much more. */
const STATE = Symbol('nestjs-tracing call');

/** The message of a tracing channel. It is the same object from the start of a call to its end. */
export interface ChannelMessage {
  readonly result?: unknown;
  readonly error?: unknown;
  [STATE]?: CallState;
}

interface CallState {
  readonly caller: Context;
  call: ChannelCall | undefined;
  /** The value of `continuing` outside of the callback of this call. */
  outside: Context | undefined;
}

/**
 * The context of the caller whose callback is running, because a call has ended. It is only needed while the context manager belongs to
 * another instrumentation, whose storage cannot be bound to a channel.
 */
let continuing: Context | undefined;

export interface FollowOptions {
  /**
   * True if nothing within a call is traced, so that the library works on it in the context of the caller. Each change of the context takes
   * time. @default false
   */
  readonly isLeaf?: boolean;
  /**
   * True if a call may open a socket by `net.connect()`. Then it goes on outside of any request; else the library works on it in the context of
   * the caller. @default false
   */
  readonly opensSockets?: boolean;
  /** True if a call may end when it returns, with a result that is no promise. @default false: it ends later, or throws */
  readonly mayEndAtOnce?: boolean;
}

/**
 * Follows the calls on a tracing channel of `node:diagnostics_channel`, until the returned function is called.
 *
 * Behind a pool, a library calls back in the context of any request: that of the request that opened the socket, or of the one that used
 * the connection before. So the caller's context is remembered when the call starts, and restored before the callback runs.
 *
 * @param start called at the start of a call; returns undefined if the call is of no interest, and its callback runs in the context of the
 *   caller all the same
 */
export function followTracingChannel<Message extends ChannelMessage>(
  name: string,
  start: (message: Message, caller: Context) => ChannelCall | undefined,
  { isLeaf = false, mayEndAtOnce = false, opensSockets = false }: FollowOptions = {},
): () => void {
  const started = heldChannel(`tracing:${name}:start`);
  const callingBack = heldChannel(`tracing:${name}:asyncStart`);
  const ownsStorage = ownsActiveContext();
  const staysWithCaller = isLeaf || opensSockets;

  function startCall(message: Message): CallState {
    const caller = ownsStorage ? activeContext() : (continuing ?? context.active());
    const state: CallState = { caller, call: undefined, outside: undefined };
    message[STATE] = state;
    if (opensSockets) startOpeningSockets(message);
    try {
      state.call = start(message, caller);
    } catch (error) {
      reportIgnored(`A subscriber of the channel ${name}`, error);
    }
    return state;
  }

  function endCall(message: Message): void {
    const state = message[STATE];
    const call = state?.call;
    if (!call) return;
    state.call = undefined;
    if (message.error === undefined) call.succeed(message.result);
    else call.fail(message.error);
  }

  // A call that throws at once has an error, and no asynchronous part.
  const undos = [subscribeChannels({ [`tracing:${name}:error`]: endCall, [`tracing:${name}:asyncStart`]: endCall })];
  // The message of a call that goes on has no result yet.
  if (mayEndAtOnce)
    undos.push(subscribeChannels({ [`tracing:${name}:end`]: (m: Message) => 'result' in m && endCall(m) }));
  if (opensSockets) undos.push(followNewSockets(), subscribeChannels({ [`tracing:${name}:end`]: endOpeningSockets }));
  if (staysWithCaller) undos.push(subscribeChannels({ [`tracing:${name}:start`]: startCall }));
  // A store is bound to the channel before its subscribers are called, and before the function that the library announces.
  else started.bindStore(contextStorage, (message) => contextIn(startCall(message as Message)));
  callingBack.bindStore(contextStorage, (message) => (message as Message)[STATE]?.caller ?? ROOT_CONTEXT);
  if (!ownsStorage) undos.push(followCallbacks(name));
  return () => {
    for (const undo of undos) undo();
    if (!staysWithCaller) started.unbindStore(contextStorage);
    callingBack.unbindStore(contextStorage);
  };
}

/** Returns the context in which the library works on a call. */
function contextIn({ call, caller }: CallState): Context {
  return call?.context ?? caller;
}

/** Knows whose callback is running, until the returned function is called. */
function followCallbacks(name: string): () => void {
  return subscribeChannels({
    [`tracing:${name}:asyncStart`]: ({ [STATE]: state }: ChannelMessage) => {
      if (!state) return;
      state.outside = continuing;
      continuing = state.caller;
    },
    [`tracing:${name}:asyncEnd`]: ({ [STATE]: state }: ChannelMessage) => {
      if (state) continuing = state.outside;
    },
  });
}
