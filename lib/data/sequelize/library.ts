import { context } from '@opentelemetry/api';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isWrappedElsewhere } from '../../core/instrumented-methods.js';
import { isObject } from '../../core/is-object.js';
import { connectContextOf, connectOutsideOfRequests, measureAcquiring } from '../acquire-connection.js';
import { callAsQuery, failAtOnce } from '../call-as-query.js';
import { takeWaitTime } from '../connection-wait.js';
import type { DatabaseTarget } from '../database-query.js';
import type { DataLibrary } from '../library.js';
import { isPgClient } from '../postgres/pg.js';
import type { CurrentSettings } from '../query-settings.js';
import { startQuery, type StartedQuery } from '../start-query.js';
import { isSequelize, targetOfSequelize, type Sequelize } from './sequelize.js';

/** Sequelize 5 and 6, which calls the hooks `beforeQuery` with each query before it runs. */
export const sequelizeLibrary: DataLibrary = {
  name: 'sequelize',
  instances: [{ name: 'Sequelize', matches: isSequelize, instrument: instrumentSequelize }],
};

function instrumentSequelize(sequelize: Sequelize, settings: CurrentSettings): () => void {
  const target = targetOfSequelize(sequelize);
  if (!target) return () => {};
  const { connectionManager = {} } = sequelize;
  const undos = [
    // A hook of the library would be visible to the application, by `hasHook()` for example.
    interceptMethod(sequelize, 'runHooks', (runHooks, thisArg, args) => {
      const [hook, , query] = args;
      if (hook === 'beforeQuery' && isObject(query))
        callSafely('Tracing a query of Sequelize', () => instrumentQuery(query, target, settings));
      return Reflect.apply(runHooks, thisArg, args);
    }),
    measureAcquiring(connectionManager, 'getConnection', target, settings),
    connectOutsideOfRequests(connectionManager, '_connect', connectContextOf(target)),
    // Sequelize asks for the version before its first query.
    connectOutsideOfRequests(sequelize, 'databaseVersion'),
  ];
  return () => {
    for (const undo of undos) undo?.();
  };
}

/** A query of Sequelize runs more than once if it is retried, each time as another object. */
function instrumentQuery(query: object, target: DatabaseTarget, settings: CurrentSettings): void {
  interceptMethod(query, 'run', (run, thisArg, args) => {
    const started = callSafely('Tracing a query of Sequelize', () => {
      const current = settings();
      if (!current) return undefined;
      const [text, parameters] = args;
      const caller = context.active();
      const described = { ...target, text: typeof text === 'string' ? text : undefined, parameters };
      const waitTime = takeWaitTime(caller);
      const isTracedElsewhere = isConnectionTracedElsewhere(query);
      return startQuery({ ...described, waitTime }, current, { caller, layer: 'sequelize', isTracedElsewhere });
    });
    if (!started) return Reflect.apply(run, thisArg, args);
    return withRoomInStacks(() => callAsQuery(run, thisArg, args, withStack(started)));
  });
}

/** True if another instrumentation of pg observes the connection of a query. */
function isConnectionTracedElsewhere({ connection }: { readonly connection?: unknown }): boolean {
  if (!isObject(connection) || !isPgClient(connection)) return false;
  const method: unknown = Reflect.get(connection, 'query');
  return typeof method === 'function' && isWrappedElsewhere(method);
}

/** The number of frames that the library has in a stack that begins in the run of a query. They are removed, as far as the stack goes. */
const OWN_FRAMES = 6;

/** Calls a function, in which stacks are so much longer that they still lead to the code of the application when the library's frames are removed. */
function withRoomInStacks(call: () => unknown): unknown {
  const { stackTraceLimit } = Error;
  if (!(stackTraceLimit > 0)) return call();
  // It may be frozen.
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit + OWN_FRAMES);
  try {
    return call();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}

/** Sequelize gives its errors the stack that they have when a query is run. */
function withStack(query: StartedQuery): Pick<StartedQuery, 'context' | 'succeed' | 'fail'> {
  return {
    context: query.context,
    succeed: () => query.succeed(),
    fail: (error) => failAtOnce(error, query),
  };
}
