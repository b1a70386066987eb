import { ROOT_CONTEXT } from '@opentelemetry/api';
import { activeContext, callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { followPromise, isThenable } from '../../core/follow-promise.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { ConnectionWait, describeConnect } from '../connection-wait.js';
import { isWrappedElsewhere } from '../../core/instrumented-methods.js';
import type { CurrentSettings } from '../query-settings.js';
import { describeQuery, instrumentClient } from './instrument-client.js';
import { targetOfClient, targetOfPool, type PgPool } from './pg.js';

/**
 * Instruments a pool of pg: every client that it hands out, and the wait for a client.
 *
 * The pool announces a client by the event `acquire`. A listener would be visible, and count for the limit of listeners, so the method
 * `emit` of this pool is intercepted instead.
 */
export function instrumentPool(pool: PgPool, settings: CurrentSettings): () => void {
  const clients = new Map<unknown, () => void>();
  /** The arguments of the call of `query()` that is about to call `connect()`. */
  let pendingQuery: readonly unknown[] | undefined;

  function notice(event: unknown, client: unknown): void {
    if (event === 'remove') clients.delete(client);
    if (event !== 'acquire' || !isObject(client) || clients.has(client)) return;
    const undo = instrumentClient(client, settings);
    if (undo) clients.set(client, undo);
  }

  const undos = [
    interceptMethod(pool, 'emit', (emit, thisArg, args) => {
      callSafely('Tracing a client of pg', () => notice(args[0], args[1]));
      return Reflect.apply(emit, thisArg, args);
    }),
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
        if (!error && isObject(client)) wait.end(targetOfClient(client));
        else
          wait.fail(
            error,
            query ? describeQuery(targetOfPool(pool), query) : describeConnect(targetOfPool(pool)),
            isTracedElsewhere,
          );
      }
      return connectAndWait(connect, thisArg as PgPool, args, (error, client) => {
        callSafely('Measuring a wait for a client of pg', () => onSettled(error, client));
      });
    }),
  ];
  return () => {
    for (const undo of [...undos, ...clients.values()]) undo?.();
    clients.clear();
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
  const connecting = callSafely('Tracing a pool of pg', () => hasClient(pool)) ? caller : ROOT_CONTEXT;
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

/** True if a client is idle for the next caller: those who wait already get one before. To change the context of each call takes time. */
function hasClient({ idleCount = 0, waitingCount = 0 }: PgPool): boolean {
  return idleCount > waitingCount;
}
