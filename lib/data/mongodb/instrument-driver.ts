import { context } from '@opentelemetry/api';
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
  DB_COMMANDS,
  DB_CURSORS,
  SESSION_COMMANDS,
} from './commands.js';
import { targetOf, type Collection, type Db, type MongoClient } from './driver.js';
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
      interceptCommands(session, SESSION_COMMANDS, targetOf(client), settings);
    }),
  ]);
}

/** Instruments a database, and the collections that it hands out from now on. */
export function instrumentDb(db: Db, settings: CurrentSettings): () => void {
  const target = targetOf(db.client, db.databaseName);
  return undoAll([
    interceptResult(db, 'collection', (collection) => instrumentCollection(collection as Collection, settings)),
    interceptCommands(db, DB_COMMANDS, target, settings),
    interceptCursors(db, DB_CURSORS, target, settings),
    interceptNamedCommand(db, target, settings),
    interceptResult(db, 'admin', (admin) => {
      const adminTarget = targetOf(db.client, 'admin');
      interceptCommands(admin, ADMIN_COMMANDS, adminTarget, settings);
      interceptNamedCommand(admin, adminTarget, settings);
    }),
    interceptResult(db, 'runCursorCommand', (cursor, [command]) =>
      interceptCursor(cursor, { ...target, operation: nameOf(command) }, settings),
    ),
  ]);
}

/** Instruments a collection, and the cursors that it hands out from now on. */
export function instrumentCollection(collection: Collection, settings: CurrentSettings): () => void {
  const target = { ...targetOf(collection.client, collection.dbName), collection: collection.collectionName };
  return undoAll([
    interceptCommands(collection, COLLECTION_COMMANDS, target, settings),
    interceptCursors(collection, COLLECTION_CURSORS, target, settings),
    ...COLLECTION_BULKS.map((method) =>
      interceptResult(collection, method, (bulk) =>
        interceptCommands(bulk, { execute: 'bulkWrite' }, target, settings),
      ),
    ),
  ]);
}

function interceptCommands(
  object: object,
  commands: Readonly<Record<string, string>>,
  target: DatabaseQuery,
  settings: CurrentSettings,
): () => void {
  return undoAll(
    Object.entries(commands).map(([method, operation]) =>
      interceptCommand(object, method, settings, ([list]) => ({ ...target, operation, batchSize: batchSizeOf(list) })),
    ),
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
  return interceptCommand(object, 'command', settings, ([command]) => ({ ...target, operation: nameOf(command) }));
}

/** Traces the calls of a method that sends a command. */
function interceptCommand(
  object: object,
  method: string,
  settings: CurrentSettings,
  describe: (args: readonly unknown[]) => DatabaseQuery,
): Undo {
  return interceptMethod(object, method, (call, thisArg, args) => {
    const started = callSafely('Tracing a command of MongoDB', () => {
      const current = settings();
      return current && startQuery(describe(args), current, { caller: context.active() });
    });
    return started ? callAsQuery(call, thisArg, args, started) : Reflect.apply(call, thisArg, args);
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

/** Returns the name of a command, which is its first key. */
function nameOf(command: unknown): string | undefined {
  const [name] = isObject(command) ? Object.keys(command) : [];
  return name !== undefined && COMMAND_NAME.test(name) ? name : undefined;
}

function undoAll(undos: readonly Undo[]): () => void {
  return () => {
    for (const undo of undos) undo?.();
  };
}
