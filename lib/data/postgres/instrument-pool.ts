import { ROOT_CONTEXT } from '@opentelemetry/api';
import { activeContext, callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { followPromise, isThenable } from '../../core/follow-promise.js';
import { combineUndos, interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { ConnectionWait, describeConnect } from '../connection-wait.js';
import { isWrappedElsewhere } from '../../core/instrumented-methods.js';
import { HandedOutConnections } from '../handed-out-connections.js';
import type { CurrentSettings } from '../query-settings.js';
import { describeQuery, instrumentClient } from './instrument-client.js';
import { targetOfClient, targetOfPool, type PgPool } from './pg.js';

/** Instruments a pool of pg: every client that it hands out, and the wait for a client. */
export function instrumentPool(pool: PgPool, settings: CurrentSettings): () => void {
  const clients = new HandedOutConnections();
  /** The arguments of the call of `query()` that is about to call `connect()`. */
  let pendingQuery: readonly unknown[] | undefined;

  const undo = combineUndos([
    interceptMethod(pool, 'query', (query, thisArg, args) => {
      pendingQuery = args;
      try {
        return Reflect.apply(query, thisArg, args);
      } finally {
        pendingQuery = undefined;
      }
    }),
    interceptMethod(pool, 'connect', (connect, thisArg, args) => {
      const query = pendingQuery;
      pendingQuery = undefined;
      const current = settings();
      if (!current) return Reflect.apply(connect, thisArg, args);
      const wait = new ConnectionWait(activeContext(), current);
      const isTracedElsewhere = isWrappedElsewhere(connect);
      function onSettled(error: unknown, client: unknown): void {
        if (!error && isObject(client)) {
          clients.add(client, () => instrumentClient(client, settings));
          wait.end(targetOfClient(client));
        } else
          wait.fail(
            error,
            query ? describeQuery(targetOfPool(pool), query) : describeConnect(targetOfPool(pool)),
            isTracedElsewhere,
          );
      }
      return connectAndWait(connect, thisArg as PgPool, args, (error, client) => {
        callSafely('Tracing a client of pg', () => onSettled(error, client));
      });
    }),
  ]);
  return () => {
    undo?.();
    clients.release();
  };
}

/**
 * Calls `connect()`, outside of any request if a socket may be opened: it lives on after the request, and must not keep its context. The callback
 * of the caller comes in the context of the caller: a client that was waited for is handed over in that of another request.
 */
function connectAndWait(
  connect: AnyMethod,
  pool: PgPool,
  args: readonly unknown[],
  onSettled: (error: unknown, client?: unknown) => void,
): unknown {
  const caller = activeContext();
  const connecting = callSafely('Tracing a pool of pg', () => mayOpenSocket(pool)) === false ? caller : ROOT_CONTEXT;
  const [callback, ...rest] = args;
  function onConnected(this: unknown, error: unknown, ...results: unknown[]): unknown {
    onSettled(error, results[0]);
    return callInContext(caller, callback as AnyMethod, this, [error, ...results]);
  }
  if (typeof callback === 'function') return callInContext(connecting, connect, pool, [onConnected, ...rest]);
  const result = callInContext(connecting, connect, pool, args);
  if (!isObject(result) || !isThenable(result)) return result;
  const followed = followPromise(
    result,
    { context: undefined },
    {
      onFulfilled(client) {
        onSettled(undefined, client);
        return client;
      },
      onRejected: (error) => onSettled(error),
    },
  );
  return followed ?? result;
}

/** True if `connect()` may open a socket. To change the context of each call would take time. */
function mayOpenSocket({ idleCount = 0, options, totalCount = 0, waitingCount = 0 }: PgPool): boolean {
  // Those who wait already get an idle client before.
  return idleCount <= waitingCount && !(totalCount >= (options?.max ?? Infinity));
}
