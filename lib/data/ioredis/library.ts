import { ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { followTracingChannel, type ChannelCall, type ChannelMessage } from '../../core/tracing-channel.js';
import type { DataLibrary } from '../library.js';
import { CallerProbe } from '../other-instrumentation.js';
import type { CurrentSettings } from '../query-settings.js';
import { followConnections, redisTarget, startBatch, startCommand } from '../redis/start-command.js';
import { isBatchFollowed } from './announced-batches.js';
import { isAutoPipelining } from './auto-pipeline.js';
import { isWorkingOnTarget } from './end-when-settled.js';
import { instrumentClient } from './instrument-client.js';
import { isIoredisClient } from './ioredis.js';

/** The message of ioredis about a command or a transaction. */
interface IoredisMessage extends ChannelMessage {
  readonly database?: number;
  /** A host, or the path of a socket. */
  readonly serverAddress?: string;
  readonly serverPort?: number;
}

interface CommandMessage extends IoredisMessage {
  readonly command: string;
  readonly args: readonly unknown[];
}

interface BatchMessage extends IoredisMessage {
  readonly batchSize: number;
}

/** The files of the instrumentations that put their own functions in front of those of ioredis. */
const OTHER_INSTRUMENTATIONS = /instrumentation.*ioredis/;

/**
 * ioredis from 5.11. The clients in dependency injection are instrumented themselves. The channels have the commands of all other clients, except
 * for those that have waited for the connection.
 */
export const ioredisLibrary: DataLibrary = {
  name: 'redis',
  subscribe(settings) {
    const undos = [
      followTracingChannel('ioredis:command', startCommandOf(settings), { isLeaf: true }),
      followTracingChannel('ioredis:batch', startBatchOf(settings)),
      followConnections('ioredis:connect', settings, isWorkingOnTarget),
    ];
    return () => {
      for (const undo of undos) undo();
    };
  },
  instances: [{ name: 'ioredis client', matches: isIoredisClient, instrument: instrumentClient }],
};

function startCommandOf(settings: CurrentSettings) {
  const probe = new CallerProbe(OTHER_INSTRUMENTATIONS);
  return (message: CommandMessage, active: Context): ChannelCall | undefined => {
    const current = settings();
    if (!current) return undefined;
    const { args, command } = message;
    const caller = isAutoPipelining() ? ROOT_CONTEXT : active;
    const options = { caller, isTracedElsewhere: probe.isCalledByOther(), target: targetOf(message) };
    return startCommand(command, args, current, options);
  };
}

function startBatchOf(settings: CurrentSettings) {
  const probe = new CallerProbe(OTHER_INSTRUMENTATIONS);
  return (message: BatchMessage, caller: Context): ChannelCall | undefined => {
    const current = settings();
    if (!current || isBatchFollowed()) return undefined;
    const options = { caller, isTracedElsewhere: probe.isCalledByOther(), target: targetOf(message) };
    return startBatch('MULTI', [], message.batchSize, current, options);
  };
}

function targetOf({ database, serverAddress, serverPort }: IoredisMessage) {
  return redisTarget(database, serverAddress, serverPort);
}
