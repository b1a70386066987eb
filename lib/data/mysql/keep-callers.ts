import type { Context } from '@opentelemetry/api';
import { activeContext, callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import type { CurrentSettings } from '../query-settings.js';

/** The members of a command of mysql2 that are used here. */
interface MysqlCommand {
  /** The callback of the caller, if it has given one. */
  onResult?: unknown;
  readonly sql?: unknown;
  /** The statement that is executed, if the application has prepared it itself. */
  readonly statement?: unknown;
  listenerCount?(event: string): number;
}

/** The statement that mysql2 has announced last, until its command is added. */
let announced: string | undefined;

/** Called when mysql2 announces a statement, just before it adds the command. */
export function reportAnnouncement(statement: string | undefined): void {
  announced = statement;
}

/**
 * Calls the listeners and callbacks of a connection's commands in the context of their caller, as far as the diagnostics channels of mysql2 do not:
 * the events of a query without a callback, those of its stream included, and the callbacks of `ping()`, `reset()`, `changeUser()` and `end()`. They
 * come in the context that the socket was opened in.
 *
 * @returns a function that undoes it; undefined if it is done already
 */
export function keepCallers(connection: object, settings: CurrentSettings): (() => void) | undefined {
  return interceptMethod(connection, 'addCommand', (add, thisArg, args) => {
    const [command] = args;
    if (isObject(command) && settings())
      callSafely('Keeping the caller of a command of mysql2', () => keepCaller(command, activeContext()));
    return Reflect.apply(add, thisArg, args);
  });
}

function keepCaller(command: MysqlCommand, caller: Context): void {
  const { onResult, sql, statement } = command;
  // A query, or the execution of a statement. The channels, or the instrumentation of the statement, restore the context of callbacks.
  if ('_rowParser' in command) {
    const isAnnounced = announced !== undefined && announced === sql;
    announced = undefined;
    if (typeof onResult !== 'function' && statement === undefined) keepCallerOfEvents(command, caller, isAnnounced);
    return;
  }
  // The callback of a preparation is that of mysql2 itself, or has the context of the caller already.
  if (typeof onResult !== 'function' || 'parameterDefinitions' in command) return;
  command.onResult = function (this: unknown, ...results: unknown[]): unknown {
    return callInContext(caller, onResult as AnyMethod, this, results);
  };
}

/** @param isAnnounced true if mysql2 listens for the end of the command itself, because its channels have a subscriber */
function keepCallerOfEvents(command: MysqlCommand, caller: Context, isAnnounced: boolean): void {
  interceptMethod(command, 'emit', (emit, thisArg, args) => {
    const isUnhandled = isAnnounced && args[0] === 'error' && command.listenerCount?.('error') === 1;
    const result = callInContext(caller, emit, thisArg, args);
    // The only listener was that of mysql2, which listens once. Now the emitter throws, as without tracing, and mysql2 gives the connection up.
    return isUnhandled ? callInContext(caller, emit, thisArg, args) : result;
  });
}
