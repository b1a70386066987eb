import type { Context } from '@opentelemetry/api';
import { activeContext, callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { combineUndos, interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { reportQuerySpan } from '../../core/query-span-watch.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { failAtOnce, followCallback } from '../call-as-query.js';
import { takeWaitTime } from '../connection-wait.js';
import type { DatabaseQuery, QueryDescription } from '../database-query.js';
import type { CurrentSettings } from '../query-settings.js';
import { startQuery, type StartedQuery } from '../start-query.js';
import {
  describeBulkLoad,
  describeExecution,
  describeProcedure,
  describeStatement,
  targetOfConnection,
  TRANSACTION_METHODS,
  type TediousConnection,
} from './tedious.js';

/** The methods that send a request, with what they do. A prepared statement has a span when it is executed, not when it is prepared. */
const REQUESTS: Readonly<Record<string, (...args: never[]) => QueryDescription>> = {
  execSql: describeStatement,
  execSqlBatch: describeStatement,
  execute: describeExecution,
  callProcedure: describeProcedure,
  execBulkLoad: describeBulkLoad,
};

/**
 * Instruments the requests and the transactions of a connection of tedious. Callbacks and events come in the context of the caller: without that,
 * they come in the context of the request that has opened the socket.
 *
 * @param callerOf returns the context of the caller of a request, if it is not the active one
 * @returns a function that undoes it; undefined if the connection is instrumented already
 */
export function instrumentConnection(
  connection: TediousConnection,
  settings: CurrentSettings,
  callerOf: (request: object) => Context | undefined = () => undefined,
): (() => void) | undefined {
  const undos = Object.entries(REQUESTS).map(([method, describe]) =>
    interceptMethod(connection, method, (send, thisArg, args) => {
      const [request] = args;
      if (!isObject(request)) return Reflect.apply(send, thisArg, args);
      const caller = callerOf(request) ?? activeContext();
      const started = start(connection, () => describe(...(args as never[])), settings, caller);
      if (!started) return Reflect.apply(send, thisArg, args);
      followRequest(request, started, caller);
      return sendWithin(started, send, thisArg, args);
    }),
  );
  return combineUndos([...undos, instrumentTransactions(connection, settings)]);
}

/**
 * Instruments only the transactions of a connection, whose requests have their spans elsewhere. The methods take a callback first.
 *
 * @returns a function that undoes it; undefined if they are instrumented already
 */
export function instrumentTransactions(
  connection: TediousConnection,
  settings: CurrentSettings,
): (() => void) | undefined {
  const undos = Object.entries(TRANSACTION_METHODS).map(([method, operation]) =>
    interceptMethod(connection, method, (send, thisArg, args) => {
      const [callback, ...rest] = args;
      if (typeof callback !== 'function') return Reflect.apply(send, thisArg, args);
      const caller = activeContext();
      const started = start(connection, () => ({ operation, spanName: operation }), settings, caller);
      if (!started) return Reflect.apply(send, thisArg, args);
      const followed = followCallback(callback as AnyMethod, started, caller);
      return sendWithin(started, send, thisArg, [followed, ...rest]);
    }),
  );
  return combineUndos(undos);
}

function start(
  connection: TediousConnection,
  describe: () => QueryDescription,
  settings: CurrentSettings,
  caller: Context,
): StartedQuery | undefined {
  return callSafely('Tracing a request of tedious', () => {
    const current = settings();
    if (!current) return undefined;
    reportQuerySpan();
    const query: DatabaseQuery = { ...targetOfConnection(connection), ...describe(), waitTime: takeWaitTime(caller) };
    return startQuery(query, current, { caller });
  });
}

/** Rows that are sent in bulk are announced by a statement, which has no span of its own. Wrong arguments make the method throw. */
function sendWithin(query: StartedQuery, send: AnyMethod, thisArg: unknown, args: readonly unknown[]): unknown {
  try {
    return callInContext(query.context, send, thisArg, args);
  } catch (error) {
    failAtOnce(error, query);
    throw error;
  }
}

/** Ends a query with its request, which may be executed again, and is followed again then. */
function followRequest(request: object, query: StartedQuery, caller: Context): void {
  const undos = [
    interceptMethod(request, 'callback', (callback, thisArg, args) => {
      for (const undo of undos) undo?.();
      if (args[0]) query.fail(args[0]);
      else query.succeed();
      return callInContext(caller, callback, thisArg, args);
    }),
    interceptMethod(request, 'emit', (emit, thisArg, args) => callInContext(caller, emit, thisArg, args)),
  ];
}
