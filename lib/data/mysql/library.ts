import type { Context } from '@opentelemetry/api';
import { reportQuerySpan } from '../../core/query-span-watch.js';
import { followTracingChannel, type ChannelCall, type ChannelMessage } from '../../core/tracing-channel.js';
import { ConnectionWait, describeConnect, takeWaitTime } from '../connection-wait.js';
import type { DatabaseQuery, DatabaseTarget } from '../database-query.js';
import { isObject } from '../../core/is-object.js';
import { withholdDriverError } from '../failure.js';
import type { DataLibrary } from '../library.js';
import { HandedOutConnections } from '../handed-out-connections.js';
import { CallerProbe } from '../other-instrumentation.js';
import type { CurrentSettings } from '../query-settings.js';
import { observationOf, startQuery, untracedQuery } from '../start-query.js';
import { instrumentConnection } from './instrument-connection.js';
import { isPool, readPool } from './pool.js';
import { reportAnnouncement } from './keep-callers.js';
import { NestedFailures } from './nested-failures.js';
import { mysql } from './system.js';

/** The message of mysql2 about a connection. */
interface ConnectMessage extends ChannelMessage {
  readonly database?: string;
  /** A host, or the path of a socket. */
  readonly serverAddress?: string;
  /** Undefined for a socket. */
  readonly serverPort?: number;
}

/** The message of mysql2 about a query. */
interface QueryMessage extends ConnectMessage {
  /** The statement. That of `query()` has the values in place of the placeholders. */
  readonly query?: string;
  readonly values?: unknown;
}

/** The files of the instrumentations that put their own functions in front of those of mysql2. */
const OTHER_INSTRUMENTATIONS = /instrumentation.*mysql2/;

/** mysql2 from 3.20, which also speaks to MariaDB. All of its forms publish on channels: pools, clusters, promises and streams. */
export const mysqlLibrary: DataLibrary = {
  name: 'mysql',
  subscribe(settings) {
    const connections = new HandedOutConnections();
    const undos = [
      followTracingChannel('mysql2:query', startQueryOf(settings), { isLeaf: true }),
      followTracingChannel('mysql2:execute', startQueryOf(settings), { isLeaf: true }),
      followTracingChannel('mysql2:pool:connect', startConnectOf(settings, connections), { opensSockets: true }),
    ];
    return () => {
      for (const undo of undos) undo();
      connections.release();
    };
  },
  instances: [
    { name: 'mysql2 pool', matches: isPool, readPool },
    {
      name: 'mysql2 connection',
      matches: isConnection,
      instrument: (connection, settings) => instrumentConnection(connection, settings) ?? (() => {}),
    },
  ],
};

function startQueryOf(settings: CurrentSettings) {
  const probe = new CallerProbe(OTHER_INSTRUMENTATIONS);
  return (message: QueryMessage, caller: Context): ChannelCall | undefined => {
    const current = settings();
    if (!current) return undefined;
    reportQuerySpan();
    reportAnnouncement(message.query);
    const options = { caller, isTracedElsewhere: probe.isCalledByOther() };
    const observation = observationOf(current, options);
    if (!observation) return untracedQuery(caller);
    const { database, query: text, serverAddress, serverPort, values } = message;
    // This runs for each query: a spread of the target would take a microsecond.
    const query: DatabaseQuery = {
      system: mysql,
      namespace: database,
      address: serverAddress,
      port: serverPort,
      text,
      parameters: values,
      waitTime: takeWaitTime(caller),
    };
    return startQuery(query, current, options, observation);
  };
}

function startConnectOf(settings: CurrentSettings, connections: HandedOutConnections) {
  const failures = new NestedFailures();
  return (message: ConnectMessage, caller: Context): ChannelCall | undefined => {
    const current = settings();
    if (!current) return undefined;
    const wait = new ConnectionWait(caller, current);
    const target = targetOf(message);
    return {
      fail(error) {
        withholdDriverError(error, caller);
        failures.report(error, () => wait.fail(error, describeConnect(target)));
      },
      succeed(connection) {
        wait.end(target);
        if (isObject(connection)) connections.add(connection, () => instrumentConnection(connection, settings));
      },
    };
  };
}

function targetOf({ database, serverAddress, serverPort }: ConnectMessage): DatabaseTarget {
  return { system: mysql, namespace: database, address: serverAddress, port: serverPort };
}

function isConnection(candidate: object): boolean {
  return 'execute' in candidate && 'changeUser' in candidate && 'unprepare' in candidate;
}
