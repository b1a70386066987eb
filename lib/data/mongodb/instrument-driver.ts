import { context } from '@opentelemetry/api';
import { afterwards } from '../../core/afterwards.js';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { callAsQuery } from '../call-as-query.js';
import type { DatabaseQuery } from '../database-query.js';
import type { CurrentSettings } from '../query-settings.js';
import { startQuery } from '../start-query.js';
import {
  ADMIN_COMMANDS,
  CLIENT_COMMANDS,
  COLLECTION_BULKS,
  COLLECTION_COMMANDS,
  COLLECTION_CURSORS,
  COMMANDS_OF_COLLECTIONS,
  DB_COMMANDS,
  DB_CURSORS,
  RETURN_COLLECTION,
  SESSION_COMMANDS,
} from './commands.js';
import { isCollection, targetOf, type Collection, type Db, type MongoClient } from './driver.js';
import { batchSizeOf } from './mongoose.js';

/** Undoes the instrumentation of one object. */
type Undo = (() => void) | undefined;

/** The form of the name of a command. */
const COMMAND_NAME = /^\w{1,64}$/;

/** Instruments a client, connected or not: the databases and the sessions that it hands out from now on. */
export function instrumentClient(client: MongoClient, settings: CurrentSettings): () => void {
  return undoAll([
    interceptCommands(client, CLIENT_COMMANDS, targetOf(client, 'admin'), settings),
    interceptResult(client, 'db', (db) => instrumentDb(db as Db, settings)),
    interceptResult(client, 'startSession', (session, [options]) => {
      // The sessions of the driver itself have no transaction.
      if (isObject(options) && (options as { explicit?: unknown }).explicit === false) return;
      interceptCommands(session, SESSION_COMMANDS, targetOf(client, 'admin'), settings);
    }),
  ]);
}

/** Instruments a database, and the collections that it hands out from now on. */
export function instrumentDb(db: Db, settings: CurrentSettings): () => void {
  const target = targetOf(db.client, db.databaseName);
  const onCollection = collectionListener(settings);
  return undoAll([
    interceptResult(db, 'collection', onCollection),
    interceptCommands(db, DB_COMMANDS, target, settings, onCollection),
    interceptCursors(db, DB_CURSORS, target, settings),
    interceptNamedCommand(db, target, settings),
    interceptMethod(db, 'collections', (call, thisArg, args) =>
      afterwards(Reflect.apply(call, thisArg, args), (found) => {
        if (Array.isArray(found)) for (const each of found) onCollection(each);
      }),
    ),
    interceptResult(db, 'admin', (admin) => {
      const adminTarget = targetOf(db.client, 'admin');
      interceptCommands(admin, ADMIN_COMMANDS, adminTarget, settings);
      interceptNamedCommand(admin, adminTarget, settings);
    }),
    interceptResult(db, 'runCursorCommand', (cursor, [command]) =>
      interceptCursor(cursor, { ...target, ...describeCommand(command) }, settings),
    ),
  ]);
}

/** Instruments a collection, and the cursors that it hands out from now on. */
export function instrumentCollection(collection: Collection, settings: CurrentSettings): () => void {
  const target = { ...targetOf(collection.client, collection.dbName), collection: collection.collectionName };
  return undoAll([
    interceptCommands(collection, COLLECTION_COMMANDS, target, settings, collectionListener(settings)),
    interceptCursors(collection, COLLECTION_CURSORS, target, settings),
    ...COLLECTION_BULKS.map((method) =>
      interceptResult(collection, method, (bulk) =>
        interceptCommands(bulk, { execute: 'bulkWrite' }, target, settings),
      ),
    ),
  ]);
}

/** Returns a function that instruments the collections which a method returns: a new one, or that with its new name. */
function collectionListener(settings: CurrentSettings): (value: unknown) => void {
  return (value) => {
    if (isObject(value) && isCollection(value))
      callSafely('Tracing MongoDB', () => instrumentCollection(value as Collection, settings));
  };
}

function interceptCommands(
  object: object,
  commands: Readonly<Record<string, string>>,
  target: DatabaseQuery,
  settings: CurrentSettings,
  onValue?: (value: unknown) => void,
): () => void {
  return undoAll(
    Object.entries(commands).map(([method, operation]) => {
      const describe = ([list]: readonly unknown[]) => ({ ...target, operation, batchSize: batchSizeOf(list) });
      return interceptCommand(object, method, settings, describe, RETURN_COLLECTION.has(method) ? onValue : undefined);
    }),
  );
}

function interceptCursors(
  object: object,
  commands: Readonly<Record<string, string>>,
  target: DatabaseQuery,
  settings: CurrentSettings,
): () => void {
  return undoAll(
    Object.entries(commands).map(([method, operation]) =>
      interceptResult(object, method, (cursor) => interceptCursor(cursor, { ...target, operation }, settings)),
    ),
  );
}

function interceptCursor(cursor: object, query: DatabaseQuery, settings: CurrentSettings): void {
  // Each of them sends a command, in the context of the code that reads the cursor.
  interceptCommand(cursor, '_initialize', settings, () => query);
  interceptCommand(cursor, 'getMore', settings, () => ({ ...query, operation: 'getMore' }));
}

/** Traces the calls of `command()`, whose argument has the command. */
function interceptNamedCommand(object: object, target: DatabaseQuery, settings: CurrentSettings): Undo {
  return interceptCommand(object, 'command', settings, ([command]) => ({ ...target, ...describeCommand(command) }));
}

/** Traces the calls of a method that sends a command. */
function interceptCommand(
  object: object,
  method: string,
  settings: CurrentSettings,
  describe: (args: readonly unknown[]) => DatabaseQuery,
  onValue?: (value: unknown) => void,
): Undo {
  return interceptMethod(object, method, (call, thisArg, args) => {
    const started = callSafely('Tracing a command of MongoDB', () => {
      const current = settings();
      return current && startQuery(describe(args), current, { caller: context.active() });
    });
    return started ? callAsQuery(call, thisArg, args, started, onValue) : Reflect.apply(call, thisArg, args);
  });
}

/** Calls `use` with each object that a method returns. */
function interceptResult(
  object: object,
  method: string,
  use: (result: object, args: readonly unknown[]) => unknown,
): Undo {
  return interceptMethod(object, method, (call, thisArg, args) => {
    const result: unknown = Reflect.apply(call, thisArg, args);
    if (isObject(result)) callSafely('Tracing MongoDB', () => use(result, args));
    return result;
  });
}

/** Returns the name of a command, which is its first key, and the collection, which is the value of that key. */
function describeCommand(command: unknown): Pick<DatabaseQuery, 'operation' | 'collection'> {
  if (!isObject(command)) return {};
  const [name = ''] = Object.keys(command);
  if (!COMMAND_NAME.test(name)) return {};
  const collection = COMMANDS_OF_COLLECTIONS.has(name) ? (Reflect.get(command, name) as unknown) : undefined;
  return { operation: name, collection: typeof collection === 'string' ? collection : undefined };
}

function undoAll(undos: readonly Undo[]): () => void {
  return () => {
    for (const undo of undos) undo?.();
  };
}
