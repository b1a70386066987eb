import { activeContext, callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { combineUndos, interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { reportQuerySpan } from '../../core/query-span-watch.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { failAtOnce, followCallback, followEvents } from '../call-as-query.js';
import { takeWaitTime } from '../connection-wait.js';
import type { CurrentSettings } from '../query-settings.js';
import { startQuery, type StartedQuery } from '../start-query.js';
import { targetOfConfig, type MysqlConfig } from './config.js';
import { keepCallers } from './keep-callers.js';

/** The members of a connection of mysql2 that are used here. */
interface MysqlConnection {
  /** The connection below one of `mysql2/promise`. */
  readonly connection?: unknown;
  readonly config?: MysqlConfig;
}

/** Starts a query. Undefined if nothing is traced. */
type Start = (text: unknown, parameters?: unknown, startedAt?: number) => StartedQuery | undefined;

/**
 * Instruments what a connection does from now on and mysql2 does not announce: the statements that it prepares, whose method `execute()` is a
 * query. Callbacks and events come in the context of the caller.
 *
 * @returns a function that undoes it; undefined if the connection is instrumented already
 */
export function instrumentConnection(given: object, settings: CurrentSettings): (() => void) | undefined {
  const { connection = given } = given as MysqlConnection;
  if (!isObject(connection)) return undefined;
  const undos = [instrumentPrepare(connection, settings), keepCallers(connection, settings)];
  return combineUndos(undos);
}

function instrumentPrepare(connection: MysqlConnection, settings: CurrentSettings): (() => void) | undefined {
  const start = startFor(connection, settings);
  return interceptMethod(connection, 'prepare', (prepare, thisArg, args) => {
    const [options, callback, ...rest] = args;
    if (typeof callback !== 'function' || !settings()) return Reflect.apply(prepare, thisArg, args);
    const caller = activeContext();
    const startedAt = performance.now();
    function onPrepared(this: unknown, error: unknown, statement: unknown, ...others: unknown[]): unknown {
      return callInContext(
        caller,
        () => {
          // A statement that cannot be prepared is a query that has failed.
          if (error) start(textOf(options), undefined, startedAt)?.fail(error);
          else if (isObject(statement))
            callSafely('Tracing a statement of mysql2', () => instrumentStatement(statement, start));
          return Reflect.apply(callback as AnyMethod, this, [error, statement, ...others]);
        },
        undefined,
        [],
      );
    }
    return Reflect.apply(prepare, thisArg, [options, onPrepared, ...rest]);
  });
}

function startFor(connection: MysqlConnection, settings: CurrentSettings): Start {
  return (text, parameters, startedAt) =>
    callSafely('Tracing a statement of mysql2', () => {
      const current = settings();
      if (!current) return undefined;
      reportQuerySpan();
      const caller = activeContext();
      const query = {
        ...targetOfConfig(connection.config),
        text: typeof text === 'string' ? text : undefined,
        parameters,
        waitTime: takeWaitTime(caller),
      };
      return startQuery(query, current, { caller, startedAt });
    });
}

function textOf(options: unknown): unknown {
  return isObject(options) ? (options as { sql?: unknown }).sql : options;
}

/** A connection returns the same statement for the same text, so it may be instrumented already. */
function instrumentStatement(statement: object, start: Start): void {
  interceptMethod(statement, 'execute', (execute, thisArg, args) => {
    const caller = activeContext();
    const position = args.findIndex((argument) => typeof argument === 'function');
    const started = start((statement as { query?: unknown }).query, position === 0 ? undefined : args[0]);
    if (!started) return Reflect.apply(execute, thisArg, args);
    const followed = args.map((argument, index) =>
      index === position ? followCallback(argument as AnyMethod, started, caller) : argument,
    );
    try {
      const command: unknown = Reflect.apply(execute, thisArg, followed);
      // Streams use the events of a command as well.
      if (position === -1 && isObject(command)) followEvents(command, started, caller, ['end']);
      return command;
    } catch (error) {
      failAtOnce(error, started);
      throw error;
    }
  });
}
