import { combineUndos, interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { callAsQuery, failAtOnce } from '../call-as-query.js';
import type { CurrentSettings } from '../query-settings.js';
import type { StartedQuery } from '../start-query.js';
import type { SqliteStatement } from './database.js';
import { startFor, type Start } from './start.js';

/** The methods of a statement that return their result at once. */
const METHODS = ['run', 'get', 'all'] as const;

/** Returns the text and the parameters of a call. */
type Describe = (args: readonly unknown[]) => readonly [text: unknown, parameters: unknown];

/** Instruments a statement that was prepared before its database was found. */
export function instrumentLoneStatement(statement: SqliteStatement, settings: CurrentSettings): () => void {
  const { database, source, sourceSQL } = statement;
  const undo = instrumentStatement(statement, source ?? sourceSQL, startFor(database, settings));
  return () => undo?.();
}

export function instrumentStatement(statement: object, text: unknown, start: Start): (() => void) | undefined {
  return instrumentCalls(statement, start, (args) => [text, parametersOf(args)]);
}

/** Instruments the tags of a store of `node:sqlite`: its methods are those of a statement, with the statement as a template. */
export function instrumentTagStore(store: object, start: Start): (() => void) | undefined {
  return instrumentCalls(store, start, ([strings, ...values]) => [
    Array.isArray(strings) ? strings.join('?') : undefined,
    values,
  ]);
}

function instrumentCalls(target: object, start: Start, describe: Describe): (() => void) | undefined {
  const undos = METHODS.map((method) =>
    interceptMethod(target, method, (call, thisArg, args) => {
      const started = start(...describe(args));
      return started ? callAsQuery(call, thisArg, args, started) : Reflect.apply(call, thisArg, args);
    }),
  );
  const undoIterate = interceptMethod(target, 'iterate', (iterate, thisArg, args) => {
    const started = start(...describe(args));
    try {
      const iterator: unknown = Reflect.apply(iterate, thisArg, args);
      if (started && !(isObject(iterator) && followIterator(iterator, started))) started.succeed();
      return iterator;
    } catch (error) {
      if (started) failAtOnce(error, started);
      throw error;
    }
  });
  return combineUndos([...undos, undoIterate]);
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
