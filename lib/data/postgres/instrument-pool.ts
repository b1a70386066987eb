import { ROOT_CONTEXT } from '@opentelemetry/api';
import { activeContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { combineUndos, interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { ConnectionWait, describeConnect } from '../connection-wait.js';
import { isWrappedElsewhere } from '../../core/instrumented-methods.js';
import { HandedOutConnections } from '../handed-out-connections.js';
import type { CurrentSettings } from '../query-settings.js';
import { connectAndWait } from './connect.js';
import { describeQuery, instrumentClient } from './instrument-client.js';
import { clientOf, targetOfClient, targetOfPool, type PgPool } from './pg.js';

/** Instruments a pool of pg: every client that it hands out, and the wait for a client. */
export function instrumentPool(pool: PgPool, settings: CurrentSettings): () => void {
  const clients = new HandedOutConnections();
  /** The arguments of the call of `query()` that is about to call `connect()`. */
  let pendingQuery: readonly unknown[] | undefined;

  function traceClient(client: unknown): void {
    if (isObject(client)) clients.add(client, () => instrumentClient(client, settings));
  }

  const undo = combineUndos([
    // A subclass may call `super.connect()`, which is not intercepted. To intercept the events of each pool would take time.
    overridesMethods(pool)
      ? interceptMethod(pool, 'emit', (emit, thisArg, args) => {
          if (args[0] === 'acquire') callSafely('Tracing a client of pg', () => traceClient(args[1]));
          return Reflect.apply(emit, thisArg, args);
        })
      : undefined,
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
      const caller = activeContext();
      const wait = new ConnectionWait(caller, current);
      const isTracedElsewhere = isWrappedElsewhere(connect);
      let known = clientOf(pool);
      function onSettled(error: unknown, client: unknown): void {
        if (!error && isObject(client)) {
          traceClient(client);
          return wait.end(targetOfClient(client));
        }
        const target = known ? targetOfClient(known) : targetOfPool(pool);
        wait.fail(error, query ? describeQuery(target, query) : describeConnect(target), isTracedElsewhere);
      }
      const connecting =
        callSafely('Tracing a pool of pg', () => mayOpenSocket(pool)) === false ? caller : ROOT_CONTEXT;
      const result = connectAndWait(connect, thisArg, args, onSettled, connecting);
      // A client that cannot connect is no longer there when that is known.
      known ??= clientOf(pool);
      return result;
    }),
  ]);
  return () => {
    undo?.();
    clients.release();
  };
}

/** True if the class of a pool overrides one of the methods by which a pool hands out clients. */
function overridesMethods(pool: object): boolean {
  return ['connect', 'query'].some((method) => {
    let count = 0;
    for (let link: unknown = pool; isObject(link); link = Object.getPrototypeOf(link)) {
      if (Object.hasOwn(link, method)) count++;
    }
    return count > 1;
  });
}

/** True if `connect()` may open a socket. To change the context of each call would take time. */
function mayOpenSocket({ idleCount = 0, options, totalCount = 0, waitingCount = 0 }: PgPool): boolean {
  // Those who wait already get an idle client before.
  return idleCount <= waitingCount && !(totalCount >= (options?.max ?? Infinity));
}
