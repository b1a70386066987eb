import { context, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { callInContext } from '../core/context-manager.js';
import { callSafely } from '../core/diagnostics.js';
import { followPromise, isThenable } from '../core/follow-promise.js';
import { interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import { outsideOfRequests } from '../core/suppression.js';
import { ConnectionWait, describeConnect } from './connection-wait.js';
import type { DatabaseTarget } from './database-query.js';
import type { CurrentSettings } from './query-settings.js';
import { POSTGRESQL } from './sql/dialect.js';

/**
 * Measures the wait for a connection, by a method that returns a promise of it.
 *
 * @param onConnection called with each connection, before the caller of the method gets it
 * @returns a function that undoes it; undefined if there is no such method
 */
export function measureAcquiring(
  pool: object,
  method: string,
  target: DatabaseTarget,
  settings: CurrentSettings,
  onConnection: (connection: unknown) => void = () => {},
): (() => void) | undefined {
  return interceptMethod(pool, method, (acquire, thisArg, args) => {
    const current = settings();
    const wait = current && new ConnectionWait(context.active(), current);
    const result: unknown = Reflect.apply(acquire, thisArg, args);
    if (!wait || !isObject(result) || !isThenable(result)) return result;
    const followed = followPromise(
      result,
      { context: undefined },
      {
        onFulfilled(connection) {
          callSafely('Measuring a wait for a connection', () => wait.end(target));
          callSafely('Tracing a connection', () => onConnection(connection));
          return connection;
        },
        onRejected: (error) =>
          callSafely('Measuring a wait for a connection', () => wait.fail(error, describeConnect(target))),
      },
    );
    return followed ?? result;
  });
}

/**
 * Calls a method that opens a connection outside of any request: the socket lives on after the request, and must not keep its context. By
 * default, what the library asks of a new connection is not traced.
 *
 * @param context `ROOT_CONTEXT` if the database may send messages at any time: their listeners run in this context, and may be traced
 */
export function connectOutsideOfRequests(
  object: object,
  method: string,
  context = outsideOfRequests(),
): (() => void) | undefined {
  return interceptMethod(object, method, (call, thisArg, args) => callInContext(context, call, thisArg, args));
}

/** Returns the context in which connections to a database are opened. PostgreSQL sends notifications. */
export function connectContextOf({ system }: DatabaseTarget): Context {
  return system.dialect === POSTGRESQL ? ROOT_CONTEXT : outsideOfRequests();
}
