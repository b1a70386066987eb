import { callSafely } from '../../core/diagnostics.js';
import { combineUndos, interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { callAsQuery, failAtOnce } from '../call-as-query.js';
import type { CurrentSettings } from '../query-settings.js';
import type { SqliteDatabase } from './database.js';
import { instrumentStatement, instrumentTagStore } from './instrument-statement.js';
import { startFor } from './start.js';

/**
 * Instruments a database: the statements that it prepares from now on, and the texts that it executes.
 *
 * @returns a function that undoes it: statements that live on pass their calls through
 */
export function instrumentDatabase(database: SqliteDatabase, settings: CurrentSettings): () => void {
  let isOver = false;
  const start = startFor(database, () => (isOver ? undefined : settings()));

  /** @param textOf returns the statement that a method executes, of its first argument */
  function interceptExecution(method: string, textOf: (given: unknown) => unknown): (() => void) | undefined {
    return interceptMethod(database, method, (execute, thisArg, args) => {
      const started = start(textOf(args[0]));
      return started ? callAsQuery(execute, thisArg, args, started) : Reflect.apply(execute, thisArg, args);
    });
  }

  const undo = combineUndos([
    interceptMethod(database, 'prepare', (prepare, thisArg, args) => {
      const [text] = args;
      try {
        const statement: unknown = Reflect.apply(prepare, thisArg, args);
        if (isObject(statement) && !isOver)
          callSafely('Tracing a statement of SQLite', () => instrumentStatement(statement, text, start));
        return statement;
      } catch (error) {
        // A statement that cannot be prepared is a query that has failed.
        const started = start(text);
        if (started) failAtOnce(error, started);
        throw error;
      }
    }),
    interceptExecution('exec', (text) => text),
    interceptExecution('pragma', (source) => (typeof source === 'string' ? `PRAGMA ${source}` : undefined)),
    interceptMethod(database, 'createTagStore', (create, thisArg, args) => {
      const store: unknown = Reflect.apply(create, thisArg, args);
      if (isObject(store) && !isOver)
        callSafely('Tracing the statements of SQLite', () => instrumentTagStore(store, start));
      return store;
    }),
  ]);
  return () => {
    isOver = true;
    undo?.();
  };
}
