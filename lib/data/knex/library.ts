import { isObject } from '../../core/is-object.js';
import { connectOutsideOfRequests, measureAcquiring } from '../acquire-connection.js';
import type { DatabaseTarget } from '../database-query.js';
import type { DataLibrary } from '../library.js';
import { mysql } from '../mysql/system.js';
import { instrumentClient } from '../postgres/instrument-client.js';
import { isPgClient, targetOfPool } from '../postgres/pg.js';
import type { CurrentSettings } from '../query-settings.js';
import { sqlite } from '../sql/systems.js';
import { isBetterSqlite } from '../sqlite/database.js';
import { instrumentDatabase } from '../sqlite/instrument-database.js';

/** An instance of Knex, which is a function. The package itself is never imported. */
interface Knex {
  readonly client?: KnexClient;
}

interface KnexClient {
  /** The name of the driver, such as `pg`. */
  readonly driverName?: string;
  readonly connectionSettings?: {
    readonly host?: string;
    readonly port?: number;
    readonly database?: string;
    readonly connectionString?: string;
    /** The file of SQLite. */
    readonly filename?: string;
  };
}

/** Knex over pg and better-sqlite3, whose connections are instrumented as they are handed out, and over mysql2, which has channels. */
export const knexLibrary: DataLibrary = {
  name: 'knex',
  instances: [{ name: 'Knex', matches: isKnex, instrument: instrumentKnex }],
};

function isKnex(candidate: object): boolean {
  return ['client', 'raw', 'transaction', 'queryBuilder', 'batchInsert', 'userParams'].every((key) => key in candidate);
}

function instrumentKnex({ client }: Knex, settings: CurrentSettings): () => void {
  const target = client && targetOfKnex(client);
  if (!target) return () => {};
  const connections = new Map<object, () => void>();

  function onConnection(connection: unknown): void {
    if (!isObject(connection) || connections.has(connection)) return;
    const undo = instrumentConnection(connection, settings);
    if (undo) connections.set(connection, undo);
  }

  const undos = [
    measureAcquiring(client, 'acquireConnection', target, settings, onConnection),
    connectOutsideOfRequests(client, 'acquireRawConnection'),
  ];
  return () => {
    for (const undo of [...undos, ...connections.values()]) undo?.();
    connections.clear();
  };
}

function instrumentConnection(connection: object, settings: CurrentSettings): (() => void) | undefined {
  if (isPgClient(connection)) return instrumentClient(connection, settings);
  return isBetterSqlite(connection) ? instrumentDatabase(connection, settings) : undefined;
}

/** Returns the database. Undefined for a driver that is not traced. */
function targetOfKnex({ connectionSettings: settings = {}, driverName }: KnexClient): DatabaseTarget | undefined {
  if (driverName === 'pg') return targetOfPool({ options: settings });
  if (driverName === 'better-sqlite3') return { system: sqlite, namespace: settings.filename };
  if (driverName !== 'mysql2') return undefined;
  return { system: mysql, namespace: settings.database, address: settings.host, port: settings.port };
}
