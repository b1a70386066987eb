/** The members of ioredis' objects that are used here. The package itself is never imported. */
import type { DatabaseTarget } from '../database-query.js';
import { redisTarget } from '../redis/start-command.js';
import type { StartedQuery } from '../start-query.js';

export interface IoredisClient {
  readonly options?: {
    readonly host?: string;
    readonly port?: number;
    readonly db?: number;
    /** The path of a socket. */
    readonly path?: string;
    /** The Sentinels that know the server. Host and port are those of no server then. */
    readonly sentinels?: readonly unknown[] | null;
  };
  /** The socket of the connection. */
  readonly stream?: { readonly remoteAddress?: string; readonly remotePort?: number };
  /** The state of the connection. */
  readonly condition?: { readonly select?: number } | null;
  readonly isCluster?: boolean;
}

/** A command. Its client settles it by `resolve()` or `reject()`, which are own properties. */
export interface IoredisCommand {
  readonly name: string;
  readonly args: readonly unknown[];
  /** True if the command has been announced on the channel, and is not to be announced again. */
  isTraced?: boolean;
}

/** Starts the span of a command that an application sends in the active context. Undefined for a command without one. */
export type CommandStarter = (command: IoredisCommand, isTracedElsewhere: boolean) => StartedQuery | undefined;

/** A list of commands that are sent at once. It settles its own promise by `resolve()` or `reject()`. */
export interface IoredisPipeline {
  readonly isPipeline: true;
}

export function isIoredisClient(candidate: object): boolean {
  return ['sendCommand', 'defineCommand', 'pipeline', 'multi', 'duplicate', 'scriptsSet'].every(
    (key) => key in candidate,
  );
}

/** True for a client that announces on a channel when it connects: ioredis from 5.11. */
export function announcesConnections(client: IoredisClient): boolean {
  return '_buildCommandContext' in client;
}

export function isPipeline(value: unknown): value is IoredisPipeline {
  return typeof value === 'object' && value !== null && 'isPipeline' in value && value.isPipeline === true;
}

/** Returns the names of the commands that an application has added to a pipeline. */
export function commandNames(pipeline: IoredisPipeline): readonly string[] {
  const queue = Reflect.get(pipeline, '_queue') as readonly IoredisCommand[] | undefined;
  return (queue ?? []).map(({ name }) => name).filter((name) => name !== 'multi' && name !== 'exec');
}

/** True for a pipeline that ioredis itself collects commands in, those of different callers. It has callbacks under a symbol. */
export function isAutoPipeline(pipeline: IoredisPipeline): boolean {
  return Object.getOwnPropertySymbols(pipeline).some(({ description }) => description === 'callbacks');
}

/** Returns the database that a client is connected to. That of a cluster depends on the command. */
export function targetOfClient({ condition, isCluster, options = {}, stream }: IoredisClient): DatabaseTarget {
  if (isCluster) return redisTarget(undefined, undefined, undefined);
  const { db, host = 'localhost', path, port = 6379, sentinels } = options;
  const database = condition?.select ?? db ?? 0;
  if (sentinels?.length) return redisTarget(database, stream?.remoteAddress, stream?.remotePort);
  return path ? redisTarget(database, path, undefined) : redisTarget(database, host, port);
}
