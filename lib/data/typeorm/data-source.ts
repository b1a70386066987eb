/** The members of TypeORM's objects that are used here. The package itself is never imported. */
import { isObject } from '../../core/is-object.js';
import type { DatabaseTarget } from '../database-query.js';
import { oracle, sqlite, sqlServer } from '../sql/systems.js';
import type { DatabaseSystem } from '../system.js';

export interface DataSource {
  readonly driver?: {
    /** The pools of pg. */
    readonly master?: unknown;
    readonly slaves?: readonly unknown[];
    /** The only query runner of a database in the process, or of MongoDB. */
    readonly queryRunner?: { readonly databaseConnection?: unknown };
  };
  readonly options?: DataSourceOptions;
}

interface DataSourceOptions {
  readonly type?: string;
  readonly database?: unknown;
  readonly host?: string;
  readonly port?: number;
  readonly replication?: { readonly master?: Omit<DataSourceOptions, 'replication' | 'type'> };
}

/** The databases whose driver has no spans of its own, by the type of the data source. */
const SYSTEMS: ReadonlyMap<unknown, DatabaseSystem> = new Map([
  ['sqlite', sqlite],
  ['better-sqlite3', sqlite],
  ['sqljs', sqlite],
  ['expo', sqlite],
  ['oracle', oracle],
  ['mssql', sqlServer],
]);

/** Recognizes a data source, by the mark that TypeORM itself uses. */
export function isDataSource(candidate: object): boolean {
  return Object.getOwnPropertyDescriptor(candidate, '@instanceof')?.value === Symbol.for('DataSource');
}

/** Returns the database of a data source. Undefined if its driver has the spans, or if the database is not known. */
export function targetOfDataSource({ options }: DataSource): DatabaseTarget | undefined {
  const system = SYSTEMS.get(options?.type);
  if (!options || !system) return undefined;
  const { database, host, port } = { ...options, ...options.replication?.master };
  // The content of a database in memory may stand in place of its name.
  return { system, namespace: typeof database === 'string' ? database : undefined, address: host, port };
}

/** Returns the pools of a data source that is connected to PostgreSQL or CockroachDB, or the client of one that is connected to MongoDB. */
export function poolsOf({ driver, options }: DataSource): readonly unknown[] {
  if (options?.type === 'mongodb') return [driver?.queryRunner?.databaseConnection].filter(isObject);
  return [driver?.master, ...(driver?.slaves ?? [])].filter(isObject);
}
