/** The members of the objects of `better-sqlite3` and of `node:sqlite` that are used here. Neither is ever imported. */
import type { DatabaseTarget } from '../database-query.js';
import { sqlite } from '../sql/systems.js';

/** A database, whose methods return their results at once. */
export interface SqliteDatabase {
  /** The path of the file, or `:memory:`. Only of `better-sqlite3`. */
  readonly name?: unknown;
  /** Returns the path of the file, or null for a database in memory. Only of `node:sqlite`, from Node 22.16 on. */
  location?(): unknown;
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
  return hasAll(candidate, ['prepare', 'exec', 'transaction', 'pragma', 'inTransaction', 'loadExtension']);
}

export function isNodeSqlite(candidate: object): boolean {
  return hasAll(candidate, ['prepare', 'exec', 'open', 'close', 'createSession', 'applyChangeset']);
}

export function isStatement(candidate: object): boolean {
  if (!hasAll(candidate, ['run', 'get', 'all', 'iterate', 'columns'])) return false;
  return hasAll(candidate, ['source', 'database', 'pluck']) || hasAll(candidate, ['sourceSQL', 'setReadBigInts']);
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

function hasAll(candidate: object, keys: readonly string[]): boolean {
  return keys.every((key) => key in candidate);
}
