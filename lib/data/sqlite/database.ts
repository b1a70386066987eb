/** The members of the objects of `better-sqlite3`, `node:sqlite` and `sqlite3` that are used here. None of them is ever imported. */
import { hasMembers } from '../../core/has-members.js';
import type { DatabaseTarget } from '../database-query.js';
import { sqlite } from '../sql/systems.js';

/** A database, whose methods return their results at once. */
export interface SqliteDatabase {
  /** The path of the file, or `:memory:`. Only of `better-sqlite3`. */
  readonly name?: unknown;
  /** Returns the path of the file, or null for a database in memory. Only of `node:sqlite`, from Node 22.16 on. */
  location?(): unknown;
}

/** A database of `sqlite3`, whose methods take a callback. */
export interface CallbackDatabase {
  readonly filename?: unknown;
}

/** A statement that is prepared. */
export interface SqliteStatement {
  /** The text and the database, in `better-sqlite3`. */
  readonly source?: unknown;
  readonly database?: SqliteDatabase;
  /** The text, in `node:sqlite`. */
  readonly sourceSQL?: unknown;
}

export function isBetterSqlite(candidate: object): boolean {
  return hasMembers(candidate, ['prepare', 'exec', 'transaction', 'pragma', 'inTransaction', 'loadExtension']);
}

export function isNodeSqlite(candidate: object): boolean {
  return hasMembers(candidate, ['prepare', 'exec', 'open', 'close', 'createSession', 'applyChangeset']);
}

export function isCallbackDatabase(candidate: object): boolean {
  return hasMembers(candidate, [
    'run',
    'get',
    'all',
    'each',
    'exec',
    'prepare',
    'serialize',
    'parallelize',
    'configure',
  ]);
}

export function isStatement(candidate: object): boolean {
  if (!hasMembers(candidate, ['run', 'get', 'all', 'iterate', 'columns'])) return false;
  return (
    hasMembers(candidate, ['source', 'database', 'pluck']) || hasMembers(candidate, ['sourceSQL', 'setReadBigInts'])
  );
}

/** Returns the database, which has to be open. */
export function targetOf(database: SqliteDatabase): DatabaseTarget {
  return { system: sqlite, namespace: namespaceOf(database) };
}

function namespaceOf(database: SqliteDatabase): string | undefined {
  if (typeof database.name === 'string') return database.name;
  if (typeof database.location !== 'function') return undefined;
  const path = database.location();
  return typeof path === 'string' ? path : ':memory:';
}
