import type { DataLibrary } from '../library.js';
import { isBetterSqlite, isCallbackDatabase, isNodeSqlite, isStatement } from './database.js';
import { instrumentCallbackDatabase } from './instrument-callbacks.js';
import { instrumentDatabase } from './instrument-database.js';
import { instrumentLoneStatement } from './instrument-statement.js';

/** SQLite in the process of the application, by `better-sqlite3`, `node:sqlite` or `sqlite3`. */
export const sqliteLibrary: DataLibrary = {
  name: 'sqlite',
  instances: [
    { name: 'better-sqlite3 database', matches: isBetterSqlite, instrument: instrumentDatabase },
    { name: 'node:sqlite database', matches: isNodeSqlite, instrument: instrumentDatabase },
    { name: 'sqlite3 database', matches: isCallbackDatabase, instrument: instrumentCallbackDatabase },
    {
      name: 'SQLite statement',
      isSoughtInProperties: true,
      matches: isStatement,
      instrument: instrumentLoneStatement,
    },
  ],
};
