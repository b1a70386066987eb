import { POSTGRESQL } from '../sql/dialect.js';
import type { DatabaseSystem } from '../system.js';

/** The form of an SQLSTATE. The codes of Node, such as ECONNREFUSED, have another one. */
const SQLSTATE = /^[0-9A-Z]{5}$/;

export const postgresql: DatabaseSystem = {
  name: 'postgresql',
  dialect: POSTGRESQL,
  defaultPort: 5432,
  statusCodeOf(error) {
    const { code, severity } = error as { code?: unknown; severity?: unknown };
    return typeof code === 'string' && severity !== undefined && SQLSTATE.test(code) ? code : undefined;
  },
};
