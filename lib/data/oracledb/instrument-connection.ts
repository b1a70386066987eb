/** The connection of oracledb, whose methods take a callback or return a promise. The package itself is never imported. */
import { activeContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { hasMembers } from '../../core/has-members.js';
import { combineUndos, interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { callAsQuery, followCallback, followEvents } from '../call-as-query.js';
import { takeWaitTime } from '../connection-wait.js';
import type { DatabaseTarget, QueryDescription } from '../database-query.js';
import type { CurrentSettings } from '../query-settings.js';
import { startQuery, type StartedQuery } from '../start-query.js';

/** Describes a call. Undefined for a call without a span. */
type Describe = (args: readonly unknown[]) => QueryDescription | undefined;

export function isOracleConnection(candidate: object): boolean {
  return hasMembers(candidate, ['execute', 'executeMany', 'commit', 'rollback', 'oracleServerVersionString']);
}

/**
 * Instruments the statements of a connection, and the ends of its transactions.
 *
 * @param isInTransaction true if the application has begun a transaction, rather than the library that ends one after each statement
 * @returns a function that undoes it; undefined if the connection is instrumented already
 */
export function instrumentConnection(
  connection: object,
  target: DatabaseTarget,
  settings: CurrentSettings,
  isInTransaction: () => boolean,
): (() => void) | undefined {
  const describeStatement: Describe = ([text, parameters]) => ({
    text: typeof text === 'string' ? text : undefined,
    parameters,
  });
  const describeEnd = (text: string) => () => (isInTransaction() ? { text } : undefined);
  const methods: Readonly<Record<string, Describe>> = {
    execute: describeStatement,
    executeMany: ([text, rows]) => ({
      ...describeStatement([text]),
      batchSize: Array.isArray(rows) && rows.length !== 1 ? rows.length : undefined,
    }),
    commit: describeEnd('COMMIT'),
    rollback: describeEnd('ROLLBACK'),
  };

  function start(args: readonly unknown[], describe: Describe): StartedQuery | undefined {
    return callSafely('Tracing a query of oracledb', () => {
      const current = settings();
      const description = current && describe(args);
      if (!current || !description) return undefined;
      const caller = activeContext();
      return startQuery({ ...target, ...description, waitTime: takeWaitTime(caller) }, current, { caller });
    });
  }

  const undos = Object.entries(methods).map(([name, describe]) =>
    interceptMethod(connection, name, (method, thisArg, args) => {
      const started = start(args, describe);
      if (!started) return Reflect.apply(method, thisArg, args);
      const callback = args.at(-1);
      if (typeof callback !== 'function') return callAsQuery(method, thisArg, args, started);
      const followed = followCallback(callback as AnyMethod, started, activeContext());
      return Reflect.apply(method, thisArg, [...args.slice(0, -1), followed]);
    }),
  );
  undos.push(
    interceptMethod(connection, 'queryStream', (query, thisArg, args) => {
      const caller = activeContext();
      const started = start(args, describeStatement);
      const stream: unknown = Reflect.apply(query, thisArg, args);
      if (started && isObject(stream)) followEvents(stream, started, caller, ['end', 'close']);
      return stream;
    }),
  );
  return combineUndos(undos);
}
