import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { areCommandsMuted, hasMutedKey } from '../../core/muted-keys.js';
import { followTracingChannel, type ChannelMessage } from '../../core/tracing-channel.js';
import { ConnectionWait, describeConnect } from '../connection-wait.js';
import type { DatabaseQuery, DatabaseTarget } from '../database-query.js';
import type { CurrentSettings, QuerySettings } from '../query-settings.js';
import { observationOf, startQuery, untracedQuery, type QueryOptions, type StartedQuery } from '../start-query.js';
import { isLookup, kindOf } from './command-kind.js';
import { commandText as textOf } from './key-pattern.js';
import { redis } from './system.js';

/** The commands of a batch, by the conventions for Redis. */
export type BatchMode = 'MULTI' | 'PIPELINE';

export interface CommandOptions extends QueryOptions {
  readonly target: DatabaseTarget;
  /** The time that the command has waited for a connection of a pool, in seconds. */
  readonly waitTime?: number | undefined;
}

/** Starts a command. Returns undefined for a command of no interest. */
export function startCommand(
  name: string,
  args: readonly unknown[],
  settings: QuerySettings,
  options: CommandOptions,
): StartedQuery | undefined {
  const kind = kindOf(name);
  const { caller, target, waitTime } = options;
  if (kind.isBackground && (!trace.getSpan(caller) || isLookup(kind.operation, args))) return undefined;
  if (hasMutedKey(args) || areCommandsMuted(caller)) return undefined;
  const observation = observationOf(settings, options);
  if (!observation) return untracedQuery(caller);
  // This runs for each command: a spread of the target would take as long as everything else.
  const { address, namespace, port, system } = target;
  const { operation } = kind;
  const commandText = kind.hasKey && operation !== undefined ? textOf(operation, args[0]) : undefined;
  const spanName = operation ?? redis.name;
  const query = { system, namespace, address, port, operation, commandText, waitTime, spanName };
  return startQuery(query, settings, options, observation);
}

/**
 * Starts a transaction or a pipeline, which has one span for all of its commands.
 *
 * @param names the names of the commands; empty if they are not known
 */
export function startBatch(
  mode: BatchMode,
  names: readonly string[],
  size: number,
  settings: QuerySettings,
  options: CommandOptions,
): StartedQuery {
  if (areCommandsMuted(options.caller)) return untracedQuery(options.caller);
  const first = names[0] === undefined ? undefined : kindOf(names[0]).operation;
  const isUniform = first !== undefined && names.every((name) => kindOf(name).operation === first);
  const operation = isUniform ? `${mode} ${first}` : mode;
  const query: DatabaseQuery = { ...options.target, operation, waitTime: options.waitTime, spanName: operation };
  return startQuery(size === 1 ? query : { ...query, batchSize: size }, settings, options);
}

/** Returns the database that a client is connected to. */
export function redisTarget(
  database: number | undefined,
  address: string | undefined,
  port: number | undefined,
): DatabaseTarget {
  return { system: redis, namespace: database?.toString(), address, port };
}

/** The message about a connection. */
interface ConnectMessage extends ChannelMessage {
  readonly serverAddress?: string;
  readonly serverPort?: number;
}

/**
 * Opens connections outside of any request, and gives a span to a connection that fails.
 *
 * @param isForCommand returns true if a command opens the connection: it has a span, which ends with the error
 */
export function followConnections(channel: string, settings: CurrentSettings, isForCommand = () => false): () => void {
  return followTracingChannel(channel, ({ serverAddress, serverPort }: ConnectMessage, caller) => {
    const current = settings();
    if (!current) return undefined;
    if (isForCommand()) return { context: ROOT_CONTEXT, succeed: () => {}, fail: () => {} };
    const wait = new ConnectionWait(caller, current);
    return {
      // A socket that is opened now lives on after the request, and must not keep its context.
      context: ROOT_CONTEXT,
      succeed: () => {},
      fail: (error) => wait.fail(error, describeConnect(redisTarget(undefined, serverAddress, serverPort))),
    };
  });
}
