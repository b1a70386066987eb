/** The members of the objects of `better-sqlite3` and of `node:sqlite` that are used here. Neither is ever imported. */
import type { DatabaseTarget } from '../database-query.js';
import { sqlite } from '../sql/systems.js';

/** A database, whose methods return their results at once. */
export interface SqliteDatabase {
  /** The path of the file, or `:memory:`. Only of `better-sqlite3`. */
  readonly name?: unknown;
}

export function isBetterSqlite(candidate: object): boolean {
  return hasAll(candidate, ['prepare', 'exec', 'transaction', 'pragma', 'inTransaction', 'loadExtension']);
}

export function isNodeSqlite(candidate: object): boolean {
  return hasAll(candidate, ['prepare', 'exec', 'open', 'close', 'createSession', 'applyChangeset']);
}

export function targetOf({ name }: SqliteDatabase): DatabaseTarget {
  return { system: sqlite, namespace: typeof name === 'string' ? name : undefined };
}

function hasAll(candidate: object, keys: readonly string[]): boolean {
  return keys.every((key) => key in candidate);
}
