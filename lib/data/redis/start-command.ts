import { ROOT_CONTEXT, trace, type Context } from '@opentelemetry/api';
import { followTracingChannel, type ChannelMessage } from '../../core/tracing-channel.js';
import { ConnectionWait, describeConnect } from '../connection-wait.js';
import type { DatabaseQuery, DatabaseTarget } from '../database-query.js';
import type { CurrentSettings, QuerySettings } from '../query-settings.js';
import { observationOf, startQuery, untracedQuery, type QueryOptions, type StartedQuery } from '../start-query.js';
import { commandText as textOf } from './key-pattern.js';
import { hasMutedKey } from './muted-keys.js';
import { redis } from './system.js';

/** The form of the name of a command, those of modules included. Anything else that an application sends in its place may be data. */
const NAME = /^[A-Z][A-Z0-9_.-]{0,63}$/;

/** The names of commands in capitals, by their names as the application writes them. */
const operations = new Map<string, string>();
const MAX_OPERATIONS = 1024;

/** The commands of a client's own making, when it connects or checks the connection. */
const HANDSHAKE: ReadonlySet<string> = new Set([
  'AUTH',
  'CLIENT',
  'CLUSTER',
  'HELLO',
  'INFO',
  'PING',
  'READONLY',
  'SELECT',
]);

/** The commands that wait for data. A worker sends one after the other, and each lasts as long as there is nothing to do. */
const BLOCKING: ReadonlySet<string> = new Set(
  'BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN XREAD XREADGROUP'.split(' '),
);

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
  const operation = operationOf(name);
  const { caller, target, waitTime } = options;
  if (isBackground(operation, caller) || hasMutedKey(args)) return undefined;
  const observation = observationOf(settings, options);
  if (!observation) return untracedQuery(caller);
  // This runs for each command: a spread of the target would take as long as everything else.
  const { address, namespace, port, system } = target;
  const commandText = operation === undefined ? undefined : textOf(operation, args[0]);
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
  const first = names[0] === undefined ? undefined : operationOf(names[0]);
  const isUniform = first !== undefined && names.every((name) => operationOf(name) === first);
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

/** Opens connections outside of any request, and gives a span to a connection that fails. */
export function followConnections(channel: string, settings: CurrentSettings): () => void {
  return followTracingChannel(channel, ({ serverAddress, serverPort }: ConnectMessage, caller) => {
    const current = settings();
    if (!current) return undefined;
    const wait = new ConnectionWait(caller, current);
    return {
      // A socket that is opened now lives on after the request, and must not keep its context.
      context: ROOT_CONTEXT,
      succeed: () => {},
      fail: (error) => wait.fail(error, describeConnect(redisTarget(undefined, serverAddress, serverPort))),
    };
  });
}

function operationOf(name: string): string | undefined {
  const known = operations.get(name);
  if (known !== undefined) return known;
  const operation = name.toUpperCase();
  if (!NAME.test(operation)) return undefined;
  if (operations.size < MAX_OPERATIONS) operations.set(name, operation);
  return operation;
}

/** True for a command that belongs to no request: of the client itself, or of a loop that waits for data. */
function isBackground(operation: string | undefined, caller: Context): boolean {
  if (operation === undefined || trace.getSpan(caller)) return false;
  return BLOCKING.has(operation) || HANDSHAKE.has(operation);
}
