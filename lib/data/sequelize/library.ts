import { context } from '@opentelemetry/api';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { connectOutsideOfRequests, measureAcquiring } from '../acquire-connection.js';
import { callAsQuery } from '../call-as-query.js';
import { takeWaitTime } from '../connection-wait.js';
import type { DatabaseTarget } from '../database-query.js';
import type { DataLibrary } from '../library.js';
import type { CurrentSettings } from '../query-settings.js';
import { startQuery } from '../start-query.js';
import { isSequelize, targetOfSequelize, type Sequelize } from './sequelize.js';

/** Sequelize 5 and 6, whose hook `beforeQuery` hands out each query before it runs. */
export const sequelizeLibrary: DataLibrary = {
  name: 'sequelize',
  instances: [{ name: 'Sequelize', matches: isSequelize, instrument: instrumentSequelize }],
};

/** The name of the hook, by which it is removed. */
const HOOK = 'nestjs-tracing';

function instrumentSequelize(sequelize: Sequelize, settings: CurrentSettings): () => void {
  const target = targetOfSequelize(sequelize);
  if (!target) return () => {};
  sequelize.addHook('beforeQuery', HOOK, (_options, query) => {
    if (isObject(query)) callSafely('Tracing a query of Sequelize', () => instrumentQuery(query, target, settings));
  });
  const { connectionManager = {} } = sequelize;
  const undos = [
    measureAcquiring(connectionManager, 'getConnection', target, settings),
    connectOutsideOfRequests(connectionManager, '_connect'),
    // Sequelize asks for the version before its first query.
    connectOutsideOfRequests(sequelize, 'databaseVersion'),
  ];
  return () => {
    sequelize.removeHook('beforeQuery', HOOK);
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
      return startQuery({ ...described, waitTime }, current, { caller, layer: 'sequelize' });
    });
    return started ? callAsQuery(run, thisArg, args, started) : Reflect.apply(run, thisArg, args);
  });
}
