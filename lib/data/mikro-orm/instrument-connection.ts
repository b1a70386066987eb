import { afterwards } from '../../core/afterwards.js';
import { activeContext, callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { outsideOfRequests } from '../../core/suppression.js';
import { ConnectionWait, describeConnect } from '../connection-wait.js';
import { isKysely, systemOf, type Kysely } from '../kysely/kysely.js';
import { instrumentKysely, type KyselyDatabase } from '../kysely/library.js';
import type { CurrentSettings } from '../query-settings.js';
import type { MikroOrmConnection } from './mikro-orm.js';

/**
 * Instruments a connection of MikroORM 7, which creates its instance of Kysely when it is used for the first time, and another one when it is
 * connected again. Undefined for a connection without Kysely.
 */
export function instrumentConnection(
  connection: MikroOrmConnection,
  settings: CurrentSettings,
): (() => void) | undefined {
  if (!('createKysely' in connection)) return undefined;
  let instrumented: Kysely | undefined;
  let undoClient: (() => void) | undefined;

  /** Must only be called if there is a client: `getClient()` would create it, before MikroORM does. */
  function instrumentClient(): void {
    const client = connection.getClient?.();
    if (client === instrumented || !isObject(client) || !isKysely(client)) return;
    undoClient?.();
    instrumented = client as Kysely;
    undoClient = instrumentKysely(instrumented, settings, databaseOf(connection));
  }

  function onCreated(): void {
    callSafely('Tracing MikroORM', instrumentClient);
  }

  if (connection.connected === true) onCreated();
  const undos = [
    interceptMethod(connection, 'createKysely', (create, thisArg, args) =>
      afterwards(Reflect.apply(create, thisArg, args), onCreated),
    ),
    // What MikroORM asks of a database when it connects is not traced, and the socket must not keep the context of a request.
    interceptMethod(connection, 'connect', (connect, thisArg, args) => {
      const current = settings();
      if (!current) return Reflect.apply(connect, thisArg, args);
      const wait = new ConnectionWait(activeContext(), current);
      const result = callInContext(outsideOfRequests(), connect, thisArg, args);
      return afterwards(result, onCreated, (error) => {
        const target = { ...databaseOf(connection), system: systemOf(instrumented?.getExecutor().adapter) };
        callSafely('Tracing MikroORM', () => wait.fail(error, describeConnect(target)));
      });
    }),
  ];
  return () => {
    for (const undo of undos) undo?.();
    undoClient?.();
  };
}

/** Returns what the options say of the database. */
function databaseOf({ options = {} }: MikroOrmConnection): KyselyDatabase {
  const { dbName, host, port } = options;
  return {
    namespace: typeof dbName === 'string' ? dbName : undefined,
    address: typeof host === 'string' && host !== '' ? host : undefined,
    port: Number(port) || undefined,
  };
}
