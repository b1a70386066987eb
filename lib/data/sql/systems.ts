import type { DatabaseSystem } from '../system.js';
import { ORACLE, SQL_SERVER, SQLITE } from './dialect.js';

/** SQLite, which is part of the application's process. */
export const sqlite: DatabaseSystem = {
  name: 'sqlite',
  dialect: SQLITE,
  defaultPort: undefined,
  statusCodeOf(error) {
    // The errors of `node:sqlite` have a number.
    const { code, errcode } = error as { code?: unknown; errcode?: unknown };
    if (code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number') return String(errcode);
    return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined;
  },
};

export const oracle: DatabaseSystem = {
  name: 'oracle.db',
  dialect: ORACLE,
  defaultPort: 1521,
  statusCodeOf(error) {
    const { code } = error as { code?: unknown };
    return typeof code === 'string' && /^ORA-\d+$/.test(code) ? code : undefined;
  },
};

export const sqlServer: DatabaseSystem = {
  name: 'microsoft.sql_server',
  dialect: SQL_SERVER,
  defaultPort: 1433,
  /** The errors of the server have a number. Those of the driver and of the network have none. */
  statusCodeOf(error) {
    const { number } = error as { number?: unknown };
    return typeof number === 'number' && number > 0 ? String(number) : undefined;
  },
};
