/** The members of the objects of tedious that are used here. The package itself is never imported. */
import { hasMembers } from '../../core/has-members.js';
import { isObject } from '../../core/is-object.js';
import type { DatabaseTarget, QueryDescription } from '../database-query.js';
import { sqlServer } from '../sql/systems.js';

/** A connection to SQL Server. */
export interface TediousConnection {
  readonly config?: {
    readonly server?: string;
    readonly options?: { readonly port?: number; readonly database?: string };
  };
}

/** A request. It calls its own method `callback()` when it has ended. */
interface TediousRequest {
  /** The statement, or the name of a procedure. */
  readonly sqlTextOrProcedure?: unknown;
  readonly parameters?: readonly { readonly name: string; readonly value: unknown }[];
}

/** The methods of a transaction, with what they do. */
export const TRANSACTION_METHODS: Readonly<Record<string, string>> = {
  beginTransaction: 'BEGIN TRANSACTION',
  saveTransaction: 'SAVE TRANSACTION',
  commitTransaction: 'COMMIT TRANSACTION',
  rollbackTransaction: 'ROLLBACK TRANSACTION',
};

export function isTediousConnection(candidate: object): boolean {
  return hasMembers(candidate, ['execSql', 'execSqlBatch', 'callProcedure', 'execBulkLoad', 'beginTransaction']);
}

export function targetOfConnection({ config }: TediousConnection): DatabaseTarget {
  const { database, port } = config?.options ?? {};
  return { system: sqlServer, namespace: database, address: config?.server, port };
}

export function describeStatement({ parameters = [], sqlTextOrProcedure: text }: TediousRequest): QueryDescription {
  return {
    text: typeof text === 'string' ? text : undefined,
    parameters: Object.fromEntries(parameters.map(({ name, value }) => [name, value])),
  };
}

/** @param parameters the values of the placeholders of a prepared statement */
export function describeExecution(request: TediousRequest, parameters?: unknown): QueryDescription {
  return { ...describeStatement(request), parameters };
}

export function describeProcedure({ sqlTextOrProcedure: procedure }: TediousRequest): QueryDescription {
  return typeof procedure === 'string' ? executionOf(procedure) : {};
}

/** @param rows the rows: a list, or something that can be iterated over */
export function describeBulkLoad({ table }: { readonly table?: unknown }, rows?: unknown): QueryDescription {
  return bulkOf(typeof table === 'string' ? table : undefined, Array.isArray(rows) ? rows.length : undefined);
}

/** The name of a procedure, with those of its schema, database and server. Anything else that is given in its place may be data. */
const PROCEDURE = /^(?:\[[^\]]+\]|[\w#$@]+)(?:\.(?:\[[^\]]*\]|[\w#$@]*)){0,3}$/;

/** Describes a call of a procedure. */
export function executionOf(procedure: string): QueryDescription {
  if (!PROCEDURE.test(procedure)) return { operation: 'EXECUTE', spanName: 'EXECUTE' };
  return { operation: 'EXECUTE', collection: procedure, spanName: `EXECUTE ${procedure}` };
}

/** Describes rows that are sent in bulk. The name of the table may be quoted. */
export function bulkOf(table: string | undefined, rowCount: number | undefined): QueryDescription {
  const collection = table?.replaceAll(/\[(\w+)\]/g, '$1');
  return { operation: 'INSERT BULK', collection, batchSize: rowCount === 1 ? undefined : rowCount };
}

export function isConnection(value: unknown): value is TediousConnection {
  return isObject(value) && isTediousConnection(value);
}
