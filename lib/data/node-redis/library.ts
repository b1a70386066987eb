import { ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { followTracingChannel, type ChannelCall, type ChannelMessage } from '../../core/tracing-channel.js';
import { takeWaitTime } from '../connection-wait.js';
import type { DataLibrary } from '../library.js';
import { CallerProbe, LoadedClassProbe } from '../other-instrumentation.js';
import type { CurrentSettings, QuerySettings } from '../query-settings.js';
import {
  followConnections,
  redisTarget,
  startBatch,
  startCommand,
  type BatchMode,
  type CommandOptions,
} from '../redis/start-command.js';
import type { StartedQuery } from '../start-query.js';
import { announcedNames, instrumentBatches } from './batch-commands.js';
import { instrumentPool, isRedisPool } from './instrument-pool.js';
import { isDisplaced, watchPools } from './pool-waiters.js';

/** The message of node-redis about a command or a batch. */
interface RedisMessage extends ChannelMessage {
  readonly clientId: string;
  readonly database?: number;
  /** A host, or the path of a socket. */
  readonly serverAddress?: string;
  readonly serverPort?: number;
}

interface CommandMessage extends RedisMessage {
  readonly command: string;
  /** The name of the command, and its arguments. */
  readonly args: readonly unknown[];
}

interface BatchMessage extends RedisMessage {
  readonly batchMode: BatchMode;
  readonly batchSize: number;
}

/** The files of the instrumentations that put their own functions in front of those of node-redis. */
const OTHER_INSTRUMENTATIONS = /instrumentation.*[-/\\]redis/;

/** node-redis (`redis`, `@redis/client`) from 5.12: all of its clients, pools and clusters announce their commands on channels. */
export const nodeRedisLibrary: DataLibrary = {
  name: 'redis',
  subscribe(settings) {
    const undos = [
      followTracingChannel('node-redis:command', startWith(settings, startCommandOf), { isLeaf: true }),
      followTracingChannel('node-redis:batch', startWith(settings, startBatchOf, true)),
      followConnections('node-redis:connect', settings),
      watchPools(),
    ];
    return () => {
      for (const undo of undos) undo();
    };
  },
  instances: [
    { name: 'redis pool', matches: isRedisPool, instrument: instrumentPool },
    { name: 'redis client', matches: isRedisClient, instrument: (client) => instrumentBatches(client) ?? (() => {}) },
  ],
};

type Start<Message> = (message: Message, settings: QuerySettings, options: CommandOptions) => ChannelCall | undefined;

/** The class of clients. A cluster announces a transaction when its callers, instrumentations among them, have left the stack. */
const clientClass = new LoadedClassProbe(
  /[\\/]@redis[\\/]client[\\/]dist[\\/]lib[\\/]client[\\/]index\.js$/,
  'sendCommand',
);

function startWith<Message extends RedisMessage>(settings: CurrentSettings, start: Start<Message>, isBatch = false) {
  const probe = new CallerProbe(OTHER_INSTRUMENTATIONS);
  return (message: Message, active: Context): ChannelCall | undefined => {
    const current = settings();
    if (!current) return undefined;
    const { clientId, database, serverAddress, serverPort } = message;
    const caller = isDisplaced(clientId) ? ROOT_CONTEXT : active;
    return start(message, current, {
      caller,
      waitTime: takeWaitTime(caller),
      isTracedElsewhere: probe.isCalledByOther() || (isBatch && clientClass.isWrappedElsewhere()),
      target: redisTarget(database, serverAddress, serverPort),
    });
  };
}

const startCommandOf: Start<CommandMessage> = ({ args, command }, settings, options) =>
  startCommand(command, args.slice(1), settings, options);

const startBatchOf: Start<BatchMessage> = ({ batchMode, batchSize }, settings, options) =>
  new BatchCall(startBatch(batchMode, announcedNames(), batchSize, settings, options));

/** A transaction of node-redis, which succeeds although commands in it have failed: their errors are among the replies. */
class BatchCall implements ChannelCall {
  readonly context: Context;

  constructor(private readonly query: StartedQuery) {
    this.context = query.context;
  }

  succeed(replies: unknown): void {
    const error: unknown = Array.isArray(replies) ? replies.find((reply) => reply instanceof Error) : undefined;
    if (error === undefined) this.query.succeed();
    else this.query.fail(error);
  }

  fail(error: unknown): void {
    this.query.fail(error);
  }
}

/** Recognizes clients and clusters. */
function isRedisClient(candidate: object): boolean {
  return (
    'sendCommand' in candidate && 'MULTI' in candidate && ('createPool' in candidate || 'nodeByAddress' in candidate)
  );
}
