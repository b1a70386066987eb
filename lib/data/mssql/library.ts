import type { Context } from '@opentelemetry/api';
import { subscribeChannels } from '../../core/channel.js';
import { followTracingChannel, type ChannelCall, type ChannelMessage } from '../../core/tracing-channel.js';
import type { DatabaseQuery, DatabaseTarget } from '../database-query.js';
import type { DataLibrary } from '../library.js';
import type { CurrentSettings } from '../query-settings.js';
import { sqlServer } from '../sql/systems.js';
import { startQuery } from '../start-query.js';

/** The message of mssql about a request. Its parameters are only names. */
interface RequestMessage extends ChannelMessage {
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

/** The message of mssql about a pool that connects. */
interface ConnectMessage {
  readonly poolId?: unknown;
  readonly server?: string;
  readonly port?: number;
  readonly database?: string;
}

const CHANNELS = ['query', 'batch', 'execute', 'bulk', 'prepared-statement:execute'];

/** mssql from 12.4 on. All of its forms publish on channels: pools, transactions, prepared statements, callbacks and promises. */
export const mssqlLibrary: DataLibrary = {
  name: 'mssql',
  subscribe(settings) {
    const pools = new Map<unknown, DatabaseTarget>();
    const undos = [
      subscribeChannels({
        'tracing:mssql:connect:start': ({ database, poolId, port, server }: ConnectMessage) =>
          void pools.set(poolId, { system: sqlServer, namespace: database, address: server, port }),
        'mssql:pool:close': ({ poolId }: ConnectMessage) => void pools.delete(poolId),
      }),
      ...CHANNELS.map((name) => followTracingChannel(`mssql:${name}`, startRequestOf(pools, settings))),
    ];
    return () => {
      for (const undo of undos) undo();
    };
  },
  instances: [{ name: 'mssql pool', matches: isPool }],
};

function startRequestOf(pools: ReadonlyMap<unknown, DatabaseTarget>, settings: CurrentSettings) {
  return (message: RequestMessage, caller: Context): ChannelCall | undefined => {
    const current = settings();
    // A pool that has connected before the subscription is not known.
    const target = pools.get(message.poolId) ?? { system: sqlServer };
    return current && startQuery(describeRequest(message, target), current, { caller });
  };
}

function describeRequest(message: RequestMessage, target: DatabaseTarget): DatabaseQuery {
  const { command, procedure, rowCount, statement, table } = message;
  if (typeof procedure === 'string')
    return { ...target, operation: 'EXECUTE', collection: procedure, spanName: `EXECUTE ${procedure}` };
  if (typeof table === 'string')
    return { ...target, operation: 'INSERT BULK', collection: table, batchSize: rowCount === 1 ? undefined : rowCount };
  const text = command ?? statement;
  return { ...target, text: typeof text === 'string' ? text : undefined };
}

function isPool(candidate: object): boolean {
  return ['request', 'transaction', 'query', 'batch', 'borrowed', 'pending'].every((key) => key in candidate);
}
