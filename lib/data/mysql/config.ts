import type { DatabaseTarget } from '../database-query.js';
import { mysql } from './system.js';

/** The options of a connection of mysql2 that are used here. */
export interface MysqlConfig {
  readonly database?: string;
  readonly host?: string;
  readonly port?: number;
  readonly socketPath?: string;
}

/** Returns the database that the options lead to. */
export function targetOfConfig({ database, host = 'localhost', port, socketPath }: MysqlConfig = {}): DatabaseTarget {
  if (socketPath) return { system: mysql, namespace: database, address: socketPath };
  return { system: mysql, namespace: database, address: host, port };
}
