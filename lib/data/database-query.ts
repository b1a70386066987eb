import type { Attributes } from '@opentelemetry/api';
import {
  ATTR_DB_COLLECTION_NAME,
  ATTR_DB_NAMESPACE,
  ATTR_DB_OPERATION_BATCH_SIZE,
  ATTR_DB_OPERATION_NAME,
  ATTR_DB_QUERY_SUMMARY,
  ATTR_DB_QUERY_TEXT,
  ATTR_DB_SYSTEM_NAME,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
} from '@opentelemetry/semantic-conventions';
import { cutText } from '../core/cut-text.js';
import type { ResolvedQueryRecording } from '../options/data.js';
import { parameterAttributes } from './parameters.js';
import { readStatement } from './sql/read-statement.js';
import type { ScannedStatement } from './sql/scanned-statement.js';
import type { DatabaseSystem } from './system.js';

/** The database that a connection leads to. */
export interface DatabaseTarget {
  readonly system: DatabaseSystem;
  /** The name of the database. */
  readonly namespace?: string | undefined;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
}

/** A query, command or operation, as its library reports it. */
export interface DatabaseQuery extends DatabaseTarget {
  /** The SQL statement. */
  readonly text?: string | undefined;
  /** The values of the placeholders: a list, or an object of values by name. */
  readonly parameters?: unknown;
  /** The text of a command, without its values. Not for SQL. */
  readonly commandText?: string | undefined;
  /** The name of the command or operation. Not for SQL: the summary has the operations of a statement. */
  readonly operation?: string | undefined;
  /** The name of the collection. Not for SQL: the summary has the tables of a statement. */
  readonly collection?: string | undefined;
  /** The number of queries that are sent as one, if it is not 1. */
  readonly batchSize?: number | undefined;
  /** The name of the span, where the library or its conventions have another one than operation and target. */
  readonly spanName?: string | undefined;
  /** The time that the query has waited for a connection, in seconds. */
  readonly waitTime?: number | undefined;
}

/** The description of a query without its database. */
export type QueryDescription = Omit<DatabaseQuery, keyof DatabaseTarget>;

/** The attribute has the name of the metric: the conventions have none for it. */
const ATTR_WAIT_TIME = 'db.client.connection.wait_time';
/** Shorter waits, in seconds, are not recorded: the connection was there, and only the callback was called later. */
const MIN_WAIT_TIME = 0.001;

/** Reads the statement of a query. Undefined for a system without SQL. */
export function statementOf({ system, text }: DatabaseQuery): ScannedStatement | undefined {
  return system.dialect && text !== undefined ? readStatement(text, system.dialect) : undefined;
}

/** The attributes of a query that spans and metrics share. */
export function queryAttributes(
  { address, collection, namespace, operation, port, system }: DatabaseQuery,
  statement: ScannedStatement | undefined,
): Attributes {
  const attributes: Attributes = { [ATTR_DB_SYSTEM_NAME]: system.name };
  if (namespace) attributes[ATTR_DB_NAMESPACE] = namespace;
  if (operation !== undefined) attributes[ATTR_DB_OPERATION_NAME] = operation;
  if (collection !== undefined) attributes[ATTR_DB_COLLECTION_NAME] = collection;
  if (statement?.summary) attributes[ATTR_DB_QUERY_SUMMARY] = statement.summary;
  if (address !== undefined) attributes[ATTR_SERVER_ADDRESS] = address;
  if (port !== undefined && port !== system.defaultPort) attributes[ATTR_SERVER_PORT] = port;
  return attributes;
}

/** The attributes of the span of a query. */
export function querySpanAttributes(
  query: DatabaseQuery,
  statement: ScannedStatement | undefined,
  recording: ResolvedQueryRecording,
): Attributes {
  const { batchSize, commandText, parameters, waitTime } = query;
  const attributes = queryAttributes(query, statement);
  const text = statement?.text ?? commandText;
  if (recording.queryText && text !== undefined) {
    attributes[ATTR_DB_QUERY_TEXT] = cutText(text, recording.maxQueryTextLength);
  }
  if (batchSize !== undefined) attributes[ATTR_DB_OPERATION_BATCH_SIZE] = batchSize;
  if (waitTime !== undefined) Object.assign(attributes, waitTimeAttributes(waitTime));
  return recording.parameters ? Object.assign(attributes, parameterAttributes(parameters)) : attributes;
}

/** Returns the attribute of a wait for a connection, in seconds. */
export function waitTimeAttributes(seconds: number): Attributes {
  return seconds >= MIN_WAIT_TIME ? { [ATTR_WAIT_TIME]: seconds } : {};
}

/** Returns the name of the span of a query. */
export function querySpanName(query: DatabaseQuery, statement: ScannedStatement | undefined): string {
  if (query.spanName !== undefined) return query.spanName;
  if (statement?.summary) return statement.summary;
  const { address, collection, namespace, operation, port, system } = query;
  const server = address !== undefined && port !== undefined ? `${address}:${port}` : address;
  const target = collection ?? (namespace || server);
  return [operation, target].filter((part) => part !== undefined).join(' ') || system.name;
}
