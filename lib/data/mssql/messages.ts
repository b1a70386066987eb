/** The messages of mssql's diagnostics channels. */
import type { ChannelMessage } from '../../core/tracing-channel.js';
import type { DatabaseQuery, DatabaseTarget } from '../database-query.js';
import { sqlServer } from '../sql/systems.js';
import { bulkOf, executionOf } from './tedious.js';

/** The message about a request. Its parameters are only names. */
export interface RequestMessage extends ChannelMessage {
  readonly requestId?: unknown;
  readonly poolId?: unknown;
  /** The statement of `query()` and `batch()`. */
  readonly command?: unknown;
  /** The statement of a prepared statement. */
  readonly statement?: unknown;
  /** The name of the procedure of `execute()`. */
  readonly procedure?: unknown;
  /** The name of the table of `bulk()`. */
  readonly table?: unknown;
  readonly rowCount?: number;
}

/** The message about a pool that connects. */
export interface ConnectMessage extends ChannelMessage {
  readonly poolId?: unknown;
  readonly server?: string;
  readonly port?: number;
  readonly database?: string;
}

/** The message about a request, a transaction or a prepared statement that asks a pool for a connection. */
export interface AcquireMessage extends ChannelMessage {
  readonly requestId?: unknown;
  readonly poolId?: unknown;
}

export function targetOf({ database, port, server }: ConnectMessage): DatabaseTarget {
  return { system: sqlServer, namespace: database, address: server, port };
}

export function describeRequest(message: RequestMessage, target: DatabaseTarget): DatabaseQuery {
  const { command, procedure, rowCount, statement, table } = message;
  if (typeof procedure === 'string') return { ...target, ...executionOf(procedure) };
  if (typeof table === 'string') return { ...target, ...bulkOf(table, rowCount) };
  const text = command ?? statement;
  return { ...target, text: typeof text === 'string' ? text : undefined };
}
