import { ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { subscribeChannels } from '../../core/channel.js';
import { hasMembers } from '../../core/has-members.js';
import { followTracingChannel, type ChannelCall } from '../../core/tracing-channel.js';
import { ConnectionWait, describeConnect, takeWaitTime } from '../connection-wait.js';
import { waitTimeAttributes, type DatabaseTarget } from '../database-query.js';
import { HandedOutConnections } from '../handed-out-connections.js';
import type { DataLibrary } from '../library.js';
import type { CurrentSettings } from '../query-settings.js';
import { sqlServer } from '../sql/systems.js';
import { startQuery, type StartedQuery } from '../start-query.js';
import { instrumentConnection, instrumentTransactions } from './instrument-connection.js';
import {
  describeRequest,
  targetOf,
  type AcquireMessage,
  type ConnectMessage,
  type RequestMessage,
} from './messages.js';
import { isConnection, isTediousConnection } from './tedious.js';

const REQUESTS = ['query', 'batch', 'execute', 'bulk', 'prepared-statement:execute'];

/** mssql from 12.4 on. All of its forms publish on channels: pools, transactions, prepared statements, callbacks and promises. */
export const mssqlLibrary: DataLibrary = {
  name: 'mssql',
  subscribe(settings) {
    const channels = new MssqlChannels(settings);
    const undos = [
      ...REQUESTS.map((name) => followTracingChannel(`mssql:${name}`, channels.onRequest)),
      followTracingChannel('mssql:connect', channels.onConnect),
      followTracingChannel('mssql:pool:acquire', channels.onAcquire),
      // Its callback comes in the context of the caller, and it has no span, as with other drivers.
      followTracingChannel('mssql:prepared-statement:prepare', () => undefined, { isLeaf: true }),
      subscribeChannels({ 'mssql:pool:close': channels.onClose }),
    ];
    return () => {
      for (const undo of undos) undo();
      channels.release();
    };
  },
  instances: [
    { name: 'mssql pool', matches: isPool },
    {
      name: 'tedious connection',
      matches: isTediousConnection,
      instrument: (connection, settings) => instrumentConnection(connection, settings) ?? (() => {}),
    },
  ],
};

/** The calls that mssql announces. */
class MssqlChannels {
  /** The databases of the pools. A pool that has connected before the subscription is not known. */
  readonly #targets = new Map<unknown, DatabaseTarget>();
  /** The requests that have no result, by the number that a request for a connection repeats. */
  readonly #requests = new Map<unknown, StartedQuery>();
  /** The connections, whose transactions no channel announces before they are over. */
  readonly #connections = new HandedOutConnections();

  constructor(private readonly settings: CurrentSettings) {}

  readonly onRequest = (message: RequestMessage, caller: Context): ChannelCall | undefined => {
    const current = this.settings();
    if (!current) return undefined;
    const { requestId } = message;
    const described = { ...describeRequest(message, this.#targetOf(message.poolId)), waitTime: takeWaitTime(caller) };
    const query = startQuery(described, current, { caller });
    if (requestId === undefined) return query;
    this.#requests.set(requestId, query);
    const release = () => this.#requests.delete(requestId);
    return {
      context: query.context,
      succeed() {
        release();
        query.succeed();
      },
      fail(error) {
        release();
        query.fail(error);
      },
    };
  };

  readonly onConnect = (message: ConnectMessage, caller: Context): ChannelCall | undefined => {
    const target = targetOf(message);
    this.#targets.set(message.poolId, target);
    const current = this.settings();
    if (!current) return undefined;
    const wait = new ConnectionWait(caller, current);
    return {
      // A socket that is opened now lives on after the request, and must not keep its context.
      context: ROOT_CONTEXT,
      succeed: () => {},
      fail: (error) => wait.fail(error, describeConnect(target)),
    };
  };

  /**
   * A request has started already when it asks for a connection, and fails with it. A transaction or a prepared statement has no span yet. The
   * pool may open a connection meanwhile, outside of any request.
   */
  readonly onAcquire = ({ poolId, requestId }: AcquireMessage, caller: Context): ChannelCall | undefined => {
    const current = this.settings();
    if (!current) return undefined;
    const query = this.#requests.get(requestId);
    const target = this.#targetOf(poolId);
    const wait = new ConnectionWait(caller, current);
    return {
      context: ROOT_CONTEXT,
      succeed: (connection) => {
        if (isConnection(connection))
          this.#connections.add(connection, () => instrumentTransactions(connection, this.settings));
        if (!query) return wait.end(target);
        const seconds = wait.measure(target);
        query.describe(() => waitTimeAttributes(seconds));
      },
      fail(error) {
        if (!query) wait.fail(error, describeConnect(target));
      },
    };
  };

  readonly onClose = ({ poolId }: ConnectMessage): void => {
    this.#targets.delete(poolId);
  };

  release(): void {
    this.#connections.release();
  }

  #targetOf(poolId: unknown): DatabaseTarget {
    return this.#targets.get(poolId) ?? { system: sqlServer };
  }
}

function isPool(candidate: object): boolean {
  return hasMembers(candidate, ['request', 'transaction', 'query', 'batch', 'borrowed', 'pending']);
}
