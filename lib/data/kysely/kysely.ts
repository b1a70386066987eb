/** The members of Kysely's objects that are used here. The package itself is never imported. */
import type { DatabaseTarget } from '../database-query.js';
import { mysql } from '../mysql/system.js';
import { postgresql } from '../postgres/system.js';
import type { CurrentSettings } from '../query-settings.js';
import { oracle, sqlite, sqlServer } from '../sql/systems.js';
import type { DatabaseSystem } from '../system.js';

/** An instance of `Kysely`. Its pool and its driver are private; its executor is not, and hands out the connections. */
export interface Kysely {
  getExecutor(): KyselyExecutor;
}

export interface KyselyExecutor {
  readonly adapter?: KyselyAdapter;
}

/** The object by which a dialect says what its database supports. */
export interface KyselyAdapter {
  readonly supportsTransactionalDdl?: boolean;
  readonly supportsReturning?: boolean;
  readonly supportsOutput?: boolean;
}

/** A query as Kysely gives it to a connection. */
export interface CompiledQuery {
  readonly sql?: unknown;
  readonly parameters?: unknown;
}

/** How the queries of one instance of Kysely are traced. */
export interface KyselyTracing {
  readonly settings: CurrentSettings;
  readonly target: DatabaseTarget;
  /** True if the driver below has no spans. Only then is the wait for a connection measured here. */
  isDriverSilent: boolean;
}

/** The systems by the names that the adapters of Kysely and of its community's dialects begin with. */
const SYSTEMS: readonly (readonly [pattern: RegExp, system: DatabaseSystem])[] = [
  [/^(?:postgres|pg|pglite|neon|cockroach)/i, postgresql],
  [/^(?:mysql|maria|planetscale|tidb|singlestore)/i, mysql],
  [/^(?:sqlite|libsql|d1|bun|turso|betterSqlite)/i, sqlite],
  [/^(?:mssql|sqlserver)/i, sqlServer],
  [/^oracle/i, oracle],
];

/** The system of a database that is not known. Its statements are read by no dialect, and are not recorded. */
const OTHER: DatabaseSystem = {
  name: 'other_sql',
  dialect: undefined,
  defaultPort: undefined,
  statusCodeOf: () => undefined,
};

export function isKysely(candidate: object): boolean {
  return ['getExecutor', 'selectFrom', 'insertInto', 'withPlugin', 'introspection', 'isTransaction'].every(
    (key) => key in candidate,
  );
}

/** Returns the system of a dialect, by the class of its adapter, or else by what its database supports. */
export function systemOf(adapter: KyselyAdapter | undefined): DatabaseSystem {
  for (let type: object | null = adapter?.constructor ?? null; type; type = Object.getPrototypeOf(type) as object) {
    const name = Reflect.get(type, 'name') as unknown;
    const known = typeof name === 'string' ? SYSTEMS.find(([pattern]) => pattern.test(name)) : undefined;
    if (known) return known[1];
    if (type === Function.prototype) break;
  }
  return systemBySupport(adapter);
}

/** A bundler may have shortened the names of classes. */
function systemBySupport(adapter: KyselyAdapter = {}): DatabaseSystem {
  const { supportsOutput, supportsReturning, supportsTransactionalDdl } = adapter;
  if (supportsOutput === true) return sqlServer;
  if (supportsReturning === undefined) return OTHER;
  if (supportsReturning) return supportsTransactionalDdl === true ? postgresql : sqlite;
  return mysql;
}
