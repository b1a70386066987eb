import { activeContext, callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { combineUndos, interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { failAtOnce, followCallback } from '../call-as-query.js';
import type { CurrentSettings } from '../query-settings.js';
import type { CallbackDatabase } from './database.js';
import { startFor, type Start } from './start.js';

/** The methods that execute a statement, of a database and of a statement. `each()` has a callback for each row before that of its end. */
const METHODS = ['run', 'get', 'all', 'each'] as const;

/**
 * Instruments a database of `sqlite3`. A call without a callback has no span: whether it fails is an event of the database then, and a callback
 * would take that event away.
 *
 * @returns a function that undoes it: statements that live on pass their calls through
 */
export function instrumentCallbackDatabase(database: CallbackDatabase, settings: CurrentSettings): () => void {
  let isOver = false;
  const start = startFor({ name: database.filename }, () => (isOver ? undefined : settings()));
  const undo = combineUndos([
    instrumentCalls(database, [...METHODS, 'exec'], start, ([text, ...parameters]) => [text, parameters]),
    interceptMethod(database, 'prepare', (prepare, thisArg, args) => {
      const statement: unknown = Reflect.apply(prepare, thisArg, args);
      if (isObject(statement) && !isOver)
        callSafely('Tracing a statement of SQLite', () =>
          instrumentCalls(statement, METHODS, start, (parameters) => [args[0], parameters]),
        );
      return statement;
    }),
  ]);
  return () => {
    isOver = true;
    undo?.();
  };
}

/** @param describe returns the statement, and what comes behind it */
function instrumentCalls(
  target: object,
  methods: readonly string[],
  start: Start,
  describe: (args: readonly unknown[]) => readonly [text: unknown, parameters: readonly unknown[]],
): (() => void) | undefined {
  return combineUndos(
    methods.map((method) =>
      interceptMethod(target, method, (call, thisArg, args) => {
        const callback = args.at(-1);
        if (typeof callback !== 'function') return Reflect.apply(call, thisArg, args);
        const caller = activeContext();
        const [text, rest] = describe(args);
        const [first, ...others] = rest.filter((value) => typeof value !== 'function');
        const started = start(text, isObject(first) && others.length === 0 ? first : [first, ...others]);
        if (!started) return Reflect.apply(call, thisArg, args);
        const passed = args.with(args.length - 1, followCallback(callback as AnyMethod, started, caller));
        try {
          return callInContext(started.context, call, thisArg, passed);
        } catch (error) {
          failAtOnce(error, started);
          throw error;
        }
      }),
    ),
  );
}
