import { activeContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { reportQuerySpan } from '../../core/query-span-watch.js';
import { callAsQuery, failAtOnce } from '../call-as-query.js';
import type { DatabaseTarget } from '../database-query.js';
import type { CurrentSettings } from '../query-settings.js';
import { startQuery, type StartedQuery } from '../start-query.js';
import { targetOf, type SqliteDatabase } from './database.js';

/** The methods of a statement that return their result at once. */
const STATEMENT_METHODS = ['run', 'get', 'all'] as const;

/** Starts a query with the parameters of a call. Undefined if nothing is traced. */
type Start = (text: unknown, parameters?: unknown) => StartedQuery | undefined;

/**
 * Instruments a database: the statements that it prepares from now on, and the texts that it executes.
 *
 * @returns a function that undoes it: statements that live on pass their calls through
 */
export function instrumentDatabase(database: SqliteDatabase, settings: CurrentSettings): () => void {
  let isOver = false;
  const start = startFor(targetOf(database), () => (isOver ? undefined : settings()));
  const undos = [
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
    interceptMethod(database, 'exec', (exec, thisArg, args) => {
      const started = start(args[0]);
      return started ? callAsQuery(exec, thisArg, args, started) : Reflect.apply(exec, thisArg, args);
    }),
  ];
  return () => {
    isOver = true;
    for (const undo of undos) undo?.();
  };
}

function startFor(target: DatabaseTarget, settings: CurrentSettings): Start {
  return (text, parameters) =>
    callSafely('Tracing a query of SQLite', () => {
      const current = settings();
      if (!current) return undefined;
      reportQuerySpan();
      const described = { ...target, text: typeof text === 'string' ? text : undefined, parameters };
      return startQuery(described, current, { caller: activeContext() });
    });
}

function instrumentStatement(statement: object, text: unknown, start: Start): void {
  for (const method of STATEMENT_METHODS) {
    interceptMethod(statement, method, (call, thisArg, args) => {
      const started = start(text, parametersOf(args));
      return started ? callAsQuery(call, thisArg, args, started) : Reflect.apply(call, thisArg, args);
    });
  }
  interceptMethod(statement, 'iterate', (iterate, thisArg, args) => {
    const started = start(text, parametersOf(args));
    try {
      const iterator: unknown = Reflect.apply(iterate, thisArg, args);
      if (started && !(isObject(iterator) && followIterator(iterator, started))) started.succeed();
      return iterator;
    } catch (error) {
      if (started) failAtOnce(error, started);
      throw error;
    }
  });
}

/** Ends a query with the last row, with an error, or when the consumer stops. Returns false if the iterator cannot be followed. */
function followIterator(iterator: object, query: StartedQuery): boolean {
  const undos = (['next', 'return'] as const).map((name) =>
    interceptMethod(iterator, name, (step, thisArg, args) => {
      try {
        const result: unknown = Reflect.apply(step, thisArg, args);
        if (name === 'return' || (result as { done?: unknown } | undefined)?.done === true) query.succeed();
        return result;
      } catch (error) {
        failAtOnce(error, query);
        throw error;
      }
    }),
  );
  return undos[0] !== undefined;
}

/** Returns the parameters of a call: values, or a list or an object of them. */
function parametersOf(args: readonly unknown[]): unknown {
  const [first] = args;
  return args.length === 1 && isObject(first) && !ArrayBuffer.isView(first) ? first : args;
}
