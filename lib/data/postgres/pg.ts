/** The members of pg's objects that are used here. The package itself is never imported. */
import { hasMembers } from '../../core/has-members.js';
import { isObject } from '../../core/is-object.js';
import type { DatabaseTarget } from '../database-query.js';
import type { PoolState } from '../pool-gauges.js';
import { postgresql } from './system.js';

/** A connection to PostgreSQL. */
export interface PgClient {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly database?: string | undefined;
}

export interface PgPool {
  /** The clients of the pool, also those that are connecting. It is private. */
  readonly _clients?: readonly PgClient[];
  /** The number of clients. */
  readonly totalCount?: number;
  /** The number of idle clients. */
  readonly idleCount?: number;
  /** The number of callers that wait for a client. */
  readonly waitingCount?: number;
  readonly options?: PgClient & { readonly connectionString?: string; readonly max?: number };
}

/** A query that knows itself how to be sent: a `Query`, a cursor, or a stream. */
export interface Submittable {
  submit(connection: unknown): void;
  /** The statement of a query or of a cursor. */
  readonly text?: unknown;
  readonly values?: unknown;
  /** The cursor of a stream. */
  readonly cursor?: { readonly text?: unknown; readonly values?: unknown };
}

export function isPgPool(candidate: object): boolean {
  return hasMembers(candidate, ['connect', 'query', 'totalCount', 'idleCount', 'waitingCount', 'options']);
}

export function isPgClient(candidate: object): boolean {
  return hasMembers(candidate, ['connect', 'query', 'escapeIdentifier', 'getTypeParser', 'connectionParameters']);
}

export function isSubmittable(config: unknown): config is Submittable {
  return typeof config === 'object' && config !== null && 'submit' in config && typeof config.submit === 'function';
}

/** Returns the database that a client is connected to. */
export function targetOfClient({ database, host, port }: PgClient): DatabaseTarget {
  // The host may be the folder of a socket, and then the port is only a part of the name of its file.
  const isSocket = host?.startsWith('/') === true;
  return { system: postgresql, namespace: database, address: host, port: isSocket ? undefined : port };
}

/** Returns a client of a pool, which knows the variables of the environment and the defaults of pg. Undefined if the pool has none. */
export function clientOf({ _clients: clients }: PgPool): PgClient | undefined {
  const client: unknown = Array.isArray(clients) ? clients[0] : undefined;
  return isObject(client) ? client : undefined;
}

/** Returns the database that a pool connects to, by its options. Nothing else of a connection string is used: it holds the password. */
export function targetOfPool({ options = {} }: PgPool): DatabaseTarget {
  const { connectionString, ...fields } = options;
  const url = connectionString !== undefined && URL.canParse(connectionString) ? new URL(connectionString) : undefined;
  if (!url) return targetOfClient({ host: 'localhost', port: postgresql.defaultPort, ...fields });
  return targetOfClient({
    host: url.hostname || undefined,
    port: Number(url.port) || postgresql.defaultPort,
    database: url.pathname.slice(1),
  });
}

/** Returns the connections of a pool. */
export function readPool(pool: PgPool): PoolState {
  const { idleCount: idle = 0, options, totalCount = 0, waitingCount: pending = 0 } = pool;
  return { pool, target: targetOfPool(pool), idle, used: totalCount - idle, pending, max: options?.max };
}
