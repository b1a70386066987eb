import { context } from '@opentelemetry/api';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { callAsQuery } from '../call-as-query.js';
import type { DatabaseTarget } from '../database-query.js';
import type { DataLibrary } from '../library.js';
import type { CurrentSettings } from '../query-settings.js';
import { startQuery, type StartedQuery } from '../start-query.js';
import { isDataSource, poolsOf, targetOfDataSource, type DataSource } from './data-source.js';

/** TypeORM from 0.3. The pools of pg are instrumented, and mysql2 has channels; for other databases, the query runner has the spans. */
export const typeormLibrary: DataLibrary = {
  name: 'typeorm',
  instances: [
    {
      name: 'TypeORM DataSource',
      matches: isDataSource,
      instrument: instrumentDataSource,
      clientsOf: poolsOf,
      connectMethods: ['initialize'],
    },
  ],
};

/** Instruments every query runner that a data source creates, unless its driver has the spans: all queries of TypeORM pass through one. */
function instrumentDataSource(dataSource: DataSource, settings: CurrentSettings): () => void {
  const target = targetOfDataSource(dataSource);
  if (!target) return () => {};
  const undo = interceptMethod(dataSource, 'createQueryRunner', (create, thisArg, args) => {
    const runner: unknown = Reflect.apply(create, thisArg, args);
    if (isObject(runner)) callSafely('Tracing a query runner', () => instrumentQueryRunner(runner, target, settings));
    return runner;
  });
  return () => {
    undo?.();
    // Other query runners live as long as their query or transaction.
    const runner = dataSource.driver?.queryRunner;
    if (isObject(runner)) undoOf.get(runner)?.();
  };
}

/** The functions that undo the instrumentation of query runners. */
const undoOf = new WeakMap<object, () => void>();

function instrumentQueryRunner(runner: object, target: DatabaseTarget, settings: CurrentSettings): void {
  const undo = interceptMethod(runner, 'query', (query, thisArg, args) => {
    const started = callSafely('Tracing a query of TypeORM', () => start(target, args, settings));
    return started ? callAsQuery(query, thisArg, args, started) : Reflect.apply(query, thisArg, args);
  });
  if (undo) undoOf.set(runner, undo);
}

function start(
  target: DatabaseTarget,
  [text, parameters]: readonly unknown[],
  settings: CurrentSettings,
): StartedQuery | undefined {
  const current = settings();
  if (!current) return undefined;
  const caller = context.active();
  const query = { ...target, text: typeof text === 'string' ? text : undefined, parameters };
  return startQuery(query, current, { caller, layer: 'typeorm' });
}
