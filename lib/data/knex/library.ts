import { hasMembers } from '../../core/has-members.js';
import { isObject } from '../../core/is-object.js';
import { connectContextOf, connectOutsideOfRequests, measureAcquiring } from '../acquire-connection.js';
import type { DatabaseTarget } from '../database-query.js';
import type { DataLibrary } from '../library.js';
import { instrumentConnection as instrumentTedious } from '../mssql/instrument-connection.js';
import { isTediousConnection } from '../mssql/tedious.js';
import { mysql } from '../mysql/system.js';
import { instrumentConnection as instrumentOracle, isOracleConnection } from '../oracledb/instrument-connection.js';
import { instrumentClient } from '../postgres/instrument-client.js';
import { isPgClient, targetOfPool } from '../postgres/pg.js';
import { postgresql } from '../postgres/system.js';
import type { CurrentSettings } from '../query-settings.js';
import { oracle, sqlite, sqlServer } from '../sql/systems.js';
import { isBetterSqlite, isCallbackDatabase } from '../sqlite/database.js';
import { instrumentCallbackDatabase } from '../sqlite/instrument-callbacks.js';
import { instrumentDatabase } from '../sqlite/instrument-database.js';
import { followRequestQueue, type RequestCallers } from './request-queue.js';

/** An instance of Knex, which is a function. The package itself is never imported. */
interface Knex {
  readonly client?: KnexClient;
}

interface KnexClient {
  /** The name of the driver, such as `pg`. */
  readonly driverName?: string;
  readonly connectionSettings?: ConnectionSettings;
}

interface ConnectionSettings {
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly connectionString?: string;
  /** The server and the database of Oracle, such as `db.internal:1521/shop`. */
  readonly connectString?: string;
  /** The file of SQLite. */
  readonly filename?: string;
  /** The host of SQL Server, which takes precedence. */
  readonly server?: string;
}

/** A connection of oracledb. Without a transaction, Knex commits after each statement. */
interface OracleConnection {
  readonly isTransaction?: boolean;
}

/**
 * Knex over pg, better-sqlite3, sqlite3, tedious (SQL Server) and oracledb, whose connections are instrumented as they are handed out, and over mysql2, which
 * has channels.
 */
export const knexLibrary: DataLibrary = {
  name: 'knex',
  instances: [{ name: 'Knex', matches: isKnex, instrument: instrumentKnex }],
};

function isKnex(candidate: object): boolean {
  return hasMembers(candidate, ['client', 'raw', 'transaction', 'queryBuilder', 'batchInsert', 'userParams']);
}

function instrumentKnex({ client }: Knex, settings: CurrentSettings): () => void {
  const target = client && targetOfKnex(client);
  if (!target) return () => {};
  const connections = new Map<object, () => void>();
  const requests = target.system === sqlServer ? followRequestQueue(client) : undefined;

  const onConnection = (connection: unknown): void => {
    if (!isObject(connection) || connections.has(connection)) return;
    const undo = instrumentConnection(connection, target, settings, requests);
    if (undo) connections.set(connection, undo);
  };

  const undos = [
    measureAcquiring(client, 'acquireConnection', target, settings, onConnection),
    connectOutsideOfRequests(client, 'acquireRawConnection', connectContextOf(target)),
  ];
  return () => {
    for (const undo of [...undos, requests?.undo, ...connections.values()]) undo?.();
    connections.clear();
  };
}

function instrumentConnection(
  connection: object,
  target: DatabaseTarget,
  settings: CurrentSettings,
  requests: RequestCallers | undefined,
): (() => void) | undefined {
  if (isPgClient(connection)) return instrumentClient(connection, settings);
  if (isTediousConnection(connection)) return instrumentTedious(connection, settings, requests?.callerOf);
  if (isOracleConnection(connection)) {
    const isInTransaction = () => (connection as OracleConnection).isTransaction === true;
    return instrumentOracle(connection, target, settings, isInTransaction);
  }
  if (isCallbackDatabase(connection)) return instrumentCallbackDatabase(connection, settings);
  return isBetterSqlite(connection) ? instrumentDatabase(connection, settings) : undefined;
}

/** Returns the database. Undefined for a driver that is not traced. */
function targetOfKnex({ connectionSettings: settings = {}, driverName }: KnexClient): DatabaseTarget | undefined {
  const { database: namespace, host, server } = settings;
  const port = Number(settings.port) || undefined;
  switch (driverName) {
    case 'pg':
    case 'cockroachdb':
    case 'pg-redshift':
      // A function that gives the settings has not been called yet.
      return Object.keys(settings).length === 0 ? { system: postgresql } : targetOfPool({ options: settings });
    case 'better-sqlite3':
    case 'sqlite3':
      return { system: sqlite, namespace: settings.filename };
    case 'mysql2':
      return { system: mysql, namespace, address: host, port };
    case 'mssql':
      return { system: sqlServer, namespace, address: server ?? host, port };
    case 'oracledb':
      return { system: oracle, namespace, address: host, port, ...serverOf(settings.connectString) };
    default:
      return undefined;
  }
}

/** Reads the short form of a connect string. The long form is not recorded. */
function serverOf(connectString = ''): Partial<DatabaseTarget> {
  const [, address, port, namespace] = /^(?:\w+:)?(?:\/\/)?([\w.-]+)(?::(\d+))?\/([\w.$-]+)/.exec(connectString) ?? [];
  return address === undefined ? {} : { address, port: Number(port) || undefined, namespace };
}
