/** The members of Sequelize's objects that are used here. The package itself is never imported. */
import { isObject } from '../../core/is-object.js';
import type { DatabaseTarget } from '../database-query.js';
import { mysql } from '../mysql/system.js';
import { postgresql } from '../postgres/system.js';
import { oracle, sqlite, sqlServer } from '../sql/systems.js';
import type { DatabaseSystem } from '../system.js';

export interface Sequelize {
  readonly connectionManager?: object;
  readonly options?: { readonly dialect?: string; readonly storage?: unknown };
  readonly config?: SequelizeConfig;
}

interface SequelizeConfig {
  readonly host?: string;
  readonly port?: number | string;
  readonly database?: string;
  readonly replication?: { readonly write?: SequelizeConfig } | false;
}

/** The systems by the names of Sequelize's dialects. The error of the driver is in the error of Sequelize. */
const SYSTEMS: ReadonlyMap<unknown, DatabaseSystem> = new Map(
  Object.entries({
    postgres: postgresql,
    mysql,
    mariadb: { ...mysql, name: 'mariadb' },
    sqlite,
    mssql: sqlServer,
    oracle,
  }).map(([dialect, system]) => [dialect, { ...system, statusCodeOf: (error) => statusCodeIn(error, system) }]),
);

export function isSequelize(candidate: object): boolean {
  return ['addHook', 'removeHook', 'getDialect', 'getQueryInterface', 'connectionManager'].every(
    (key) => key in candidate,
  );
}

/** Returns the database. Undefined for a dialect that is not known. */
export function targetOfSequelize({ config = {}, options = {} }: Sequelize): DatabaseTarget | undefined {
  const system = SYSTEMS.get(options.dialect);
  if (!system) return undefined;
  if (system.name === sqlite.name)
    return { system, namespace: typeof options.storage === 'string' ? options.storage : undefined };
  const { database, host, port } = { ...config, ...(config.replication && config.replication.write) };
  return { system, namespace: database, address: host, port: Number(port) || system.defaultPort };
}

function statusCodeIn(error: object, system: DatabaseSystem): string | undefined {
  const { parent } = error as { parent?: unknown };
  return system.statusCodeOf(isObject(parent) ? parent : error);
}
