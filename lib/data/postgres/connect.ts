import { ROOT_CONTEXT } from '@opentelemetry/api';
import { activeContext, callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isWrappedElsewhere } from '../../core/instrumented-methods.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { callForCaller } from '../call-as-query.js';
import { ConnectionWait, describeConnect } from '../connection-wait.js';
import { hideOwnFrames } from '../failure.js';
import type { CurrentSettings } from '../query-settings.js';
import { followEagerly } from './follow-eagerly.js';
import { targetOfClient, type PgClient } from './pg.js';

/** Called when a connection is there, or cannot be had. */
type OnSettled = (error: unknown, client?: unknown) => void;

/**
 * Calls `connect()` outside of any request: a socket that is opened now lives on after the request, and must not keep its context. The
 * callback of the caller comes in the context of the caller: a client that was waited for is handed over in that of another request.
 *
 * @param connecting the context of the call, if no socket can be opened
 */
export function connectAndWait(
  connect: AnyMethod,
  thisArg: unknown,
  args: readonly unknown[],
  onSettled: OnSettled,
  connecting = ROOT_CONTEXT,
): unknown {
  const caller = activeContext();
  const [callback, ...rest] = args;
  let isCalling = true;
  function settle(error: unknown, client?: unknown): void {
    callSafely('Tracing a client of pg', () => onSettled(error, client));
  }
  function onConnected(this: unknown, error: unknown, ...results: unknown[]): unknown {
    if (isCalling) hideOwnFrames(error);
    settle(error, results[0]);
    return callForCaller(caller, callback as AnyMethod, this, [error, ...results]);
  }
  try {
    if (typeof callback === 'function') return callInContext(connecting, connect, thisArg, [onConnected, ...rest]);
    return followConnection(callInContext(connecting, connect, thisArg, args), settle);
  } finally {
    isCalling = false;
  }
}

function followConnection(result: unknown, settle: OnSettled): unknown {
  const followed = followEagerly(result, {
    onFulfilled(client) {
      settle(undefined, client);
      return client;
    },
    onRejected(error) {
      // A pool that has ended rejects with an error that it has created at once.
      hideOwnFrames(error);
      settle(error);
    },
  });
  return followed ?? result;
}

/** Calls `connect()` of a client without a pool outside of any request. A connection that cannot be had is a failed query. */
export function instrumentConnect(client: PgClient, settings: CurrentSettings): (() => void) | undefined {
  return interceptMethod(client, 'connect', (connect, thisArg, args) => {
    const current = settings();
    if (!current) return Reflect.apply(connect, thisArg, args);
    const wait = new ConnectionWait(activeContext(), current);
    const isTracedElsewhere = isWrappedElsewhere(connect);
    return connectAndWait(connect, thisArg, args, (error) => {
      if (error) wait.fail(error, describeConnect(targetOfClient(client)), isTracedElsewhere);
    });
  });
}
