/** PGlite, a PostgreSQL in the process of the application. The package itself is never imported. */
import { activeContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { hasMembers } from '../../core/has-members.js';
import { combineUndos, interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { reportQuerySpan } from '../../core/query-span-watch.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { callAsQuery } from '../call-as-query.js';
import type { CurrentSettings } from '../query-settings.js';
import { startQuery, type StartedQuery } from '../start-query.js';
import { postgresql } from './system.js';

export function isPglite(candidate: object): boolean {
  return hasMembers(candidate, ['query', 'exec', 'sql', 'transaction', 'execProtocol', 'runExclusive']);
}

/** Instruments a database: its queries, and those of its transactions. */
export function instrumentPglite(database: object, settings: CurrentSettings): () => void {
  const undo = combineUndos([
    instrumentQueries(database, settings),
    interceptMethod(database, 'transaction', (transaction, thisArg, args) => {
      const [work, ...rest] = args;
      if (typeof work !== 'function') return Reflect.apply(transaction, thisArg, args);
      const traced = (...given: unknown[]): unknown => {
        const [transactionOfWork] = given;
        if (isObject(transactionOfWork))
          callSafely('Tracing a transaction of PGlite', () => instrumentTransaction(transactionOfWork, settings));
        // The errors of the application have no frames of the library either.
        const outcome = { context: activeContext(), succeed() {}, fail() {} };
        return callAsQuery(work as AnyMethod, undefined, given, outcome);
      };
      return Reflect.apply(transaction, thisArg, [traced, ...rest]);
    }),
  ]);
  return () => undo?.();
}

/** A transaction has a template of its own; that of a database calls `query()`. */
function instrumentTransaction(transaction: object, settings: CurrentSettings): void {
  instrumentQueries(transaction, settings);
  interceptMethod(transaction, 'sql', (sql, thisArg, args) => {
    const [strings, ...parameters] = args;
    const text = Array.isArray(strings) ? strings.join('?') : undefined;
    return call(sql, thisArg, args, start(text, parameters, settings));
  });
}

function instrumentQueries(target: object, settings: CurrentSettings): (() => void) | undefined {
  return combineUndos(
    ['query', 'exec'].map((name) =>
      interceptMethod(target, name, (method, thisArg, args) => {
        const parameters = name === 'query' ? args[1] : undefined;
        return call(method, thisArg, args, start(args[0], parameters, settings));
      }),
    ),
  );
}

function call(method: AnyMethod, thisArg: unknown, args: readonly unknown[], started?: StartedQuery): unknown {
  return started ? callAsQuery(method, thisArg, args, started) : Reflect.apply(method, thisArg, args);
}

function start(text: unknown, parameters: unknown, settings: CurrentSettings): StartedQuery | undefined {
  return callSafely('Tracing a query of PGlite', () => {
    const current = settings();
    if (!current) return undefined;
    reportQuerySpan();
    const query = { system: postgresql, text: typeof text === 'string' ? text : undefined, parameters };
    return startQuery(query, current, { caller: activeContext() });
  });
}
