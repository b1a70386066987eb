import { activeContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { QuerySpanWatch } from '../../core/query-span-watch.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { failAtOnce, followQuery } from '../call-as-query.js';
import { takeWaitTime } from '../connection-wait.js';
import type { DatabaseQuery, QueryDescription } from '../database-query.js';
import { TRANSACTION_METHODS } from '../mssql/tedious.js';
import { isPgTracedElsewhere } from '../postgres/other-instrumentation.js';
import { postgresql } from '../postgres/system.js';
import { startQuery, type StartedQuery } from '../start-query.js';
import { followStream } from './follow-stream.js';
import type { CompiledQuery, KyselyTracing } from './kysely.js';

/** The methods of a connection to SQL Server, whose transactions are no statements. */
const TRANSACTIONS = { ...TRANSACTION_METHODS, savepoint: 'SAVE TRANSACTION' };

/** The instance of Kysely that each connection was handed out by last. A connection outlives the application that it was traced for. */
const tracings = new WeakMap<object, KyselyTracing>();

/** Instruments the queries of a connection, which is an object of Kysely around that of the driver. */
export function instrumentConnection(connection: object, tracing: KyselyTracing): void {
  tracings.set(connection, tracing);
  interceptMethod(connection, 'executeQuery', (execute, thisArg, args) => {
    const current = tracings.get(connection);
    if (!current?.settings()) return Reflect.apply(execute, thisArg, args);
    return callUnlessTraced(execute, thisArg, args, (startedAt) => startStatement(args[0], current, startedAt));
  });
  interceptMethod(connection, 'streamQuery', (stream, thisArg, args) => {
    const result: unknown = Reflect.apply(stream, thisArg, args);
    const current = tracings.get(connection);
    if (current?.settings() && isObject(result))
      callSafely('Tracing a stream of Kysely', () =>
        followStream(result, (startedAt) => startStatement(args[0], current, startedAt)),
      );
    return result;
  });
  for (const [method, operation] of Object.entries(TRANSACTIONS)) {
    interceptMethod(connection, method, (change, thisArg, args) => {
      const current = tracings.get(connection);
      if (!current?.settings()) return Reflect.apply(change, thisArg, args);
      const description = { operation, spanName: operation };
      return callUnlessTraced(change, thisArg, args, (startedAt) => start(description, current, startedAt));
    });
  }
}

/**
 * Calls a method that makes a query. The driver below has the span if it can, because it knows the server and the database. Whether it has is
 * known when the method returns, so the query starts only then, at the time of the call.
 *
 * @param startIfSilent starts the query if the driver has no span
 * @returns the result of the method, or a promise of the same result
 */
function callUnlessTraced(
  method: AnyMethod,
  thisArg: unknown,
  args: readonly unknown[],
  startIfSilent: (startedAt: number) => StartedQuery | undefined,
): unknown {
  const startedAt = performance.now();
  const watch = new QuerySpanWatch();
  let result: unknown;
  try {
    result = Reflect.apply(method, thisArg, args);
  } catch (error) {
    watch.stop();
    const started = watch.isTaken ? undefined : startIfSilent(startedAt);
    if (started) failAtOnce(error, started);
    throw error;
  }
  watch.stop();
  const started = watch.isTaken ? undefined : startIfSilent(startedAt);
  return started ? followQuery(result, started) : result;
}

function startStatement(query: unknown, tracing: KyselyTracing, startedAt: number): StartedQuery | undefined {
  const { parameters, sql } = (isObject(query) ? query : {}) as CompiledQuery;
  const text = typeof sql === 'string' ? sql : undefined;
  return start({ text, parameters }, tracing, startedAt);
}

function start(description: QueryDescription, tracing: KyselyTracing, startedAt: number): StartedQuery | undefined {
  return callSafely('Tracing a query of Kysely', () => {
    const current = tracing.settings();
    if (!current) return undefined;
    tracing.isDriverSilent = true;
    const caller = activeContext();
    const described: DatabaseQuery = { ...tracing.target, ...description, waitTime: takeWaitTime(caller) };
    const isTracedElsewhere = described.system === postgresql && isPgTracedElsewhere();
    return startQuery(described, current, { caller, startedAt, isTracedElsewhere });
  });
}
