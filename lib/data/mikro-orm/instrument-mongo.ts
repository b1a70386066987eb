import { afterwards } from '../../core/afterwards.js';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { isClient, isDb, type Db } from '../mongodb/driver.js';
import { instrumentClient, instrumentDb } from '../mongodb/instrument-driver.js';
import type { CurrentSettings } from '../query-settings.js';
import type { MikroOrmConnection } from './mikro-orm.js';

/** The methods in which a connection creates its client and its database: that of MikroORM 6, and that of MikroORM 7. */
const CREATING_METHODS = ['connect', 'createClient'] as const;

/** Instruments a connection of MikroORM to MongoDB. Undefined for a connection to another database. */
export function instrumentMongoConnection(
  connection: MikroOrmConnection,
  settings: CurrentSettings,
): (() => void) | undefined {
  if (!('getDb' in connection)) return undefined;
  const instrumented = new Map<object, () => void>();

  /** Must only be called if there is a client: MikroORM 7 would create one. */
  function onCreated(): void {
    callSafely('Tracing MikroORM', () => {
      const client = connection.getClient?.();
      const db = connection.getDb?.();
      if (isObject(client) && isClient(client) && !instrumented.has(client))
        instrumented.set(client, instrumentClient(client, settings));
      if (isObject(db) && isDb(db) && !instrumented.has(db)) instrumented.set(db, instrumentDb(db as Db, settings));
    });
  }

  if (connection.connected === true) onCreated();
  const undos = CREATING_METHODS.map((method) =>
    interceptMethod(connection, method, (create, thisArg, args) =>
      afterwards(Reflect.apply(create, thisArg, args), onCreated),
    ),
  );
  return () => {
    for (const undo of [...undos, ...instrumented.values()]) undo?.();
    instrumented.clear();
  };
}
