import { afterwards } from '../../core/afterwards.js';
import { activeContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import type { CurrentSettings } from '../query-settings.js';
import { startBatch, type BatchMode } from '../redis/start-command.js';
import type { StartedQuery } from '../start-query.js';
import { withoutBatchChannel } from './announced-batches.js';
import { isTracedElsewhere } from './instrumented-elsewhere.js';
import {
  commandNames,
  isAutoPipeline,
  targetOfClient,
  type CommandStarter,
  type IoredisClient,
  type IoredisCommand,
  type IoredisPipeline,
} from './ioredis.js';
import { endWhenSettled, enterTarget, hideFramesOfRejection, leaveTarget } from './end-when-settled.js';

/** Instruments a pipeline, or a transaction, which is a pipeline that begins with MULTI and ends with EXEC. */
export function instrumentPipeline(
  pipeline: IoredisPipeline,
  mode: BatchMode,
  client: IoredisClient,
  settings: CurrentSettings,
  startCommand: CommandStarter,
): void {
  let started: StartedQuery | CollectedCommands | undefined;
  const collected: (StartedQuery | undefined)[] = [];
  const isTraced = isTracedElsewhere(client, Reflect.get(client, 'sendCommand') as object);

  function start(): void {
    const current = settings();
    if (started || !current) return;
    if (isAutoPipeline(pipeline)) {
      started = new CollectedCommands(collected);
      endWhenSettled(pipeline, started, (replies, commands) => commands.end(replies));
      return;
    }
    const names = commandNames(pipeline);
    const options = { caller: activeContext(), isTracedElsewhere: isTraced, target: targetOfClient(client) };
    const batch = startBatch(mode, names, names.length, current, options);
    started = batch;
    endWhenSettled(pipeline, batch, (replies) => endBatch(replies, mode, batch));
  }

  // The commands of different callers are in the same pipeline of ioredis' own. Each is added in the context of its caller.
  interceptMethod(pipeline, 'sendCommand', (sendCommand, thisArg, args) => {
    callSafely('Tracing a command of ioredis', () => {
      // A cluster adds the commands again if it has to send them to another node.
      if (started || !isAutoPipeline(pipeline)) return;
      const command = args[0] as IoredisCommand;
      collected.push(startCommand(command, isTraced));
      hideFramesOfRejection(command);
    });
    return Reflect.apply(sendCommand, thisArg, args);
  });
  interceptMethod(pipeline, 'exec', (exec, thisArg, args) => {
    callSafely('Tracing a pipeline of ioredis', start);
    const outer = enterTarget(pipeline);
    let result: unknown;
    try {
      result = withoutBatchChannel(() => Reflect.apply(exec, thisArg, args));
    } finally {
      leaveTarget(outer);
    }
    return mode === 'MULTI' && typeof args[0] !== 'function' ? withUnhandledRejection(result) : result;
  });
}

/**
 * The commands of different callers in a pipeline of ioredis' own. Each ends with its reply in that of the pipeline, as its caller gets it: a cluster
 * may have settled the command itself with an error before, and sent it to another node.
 */
class CollectedCommands {
  readonly isObserved = true;

  constructor(private readonly commands: readonly (StartedQuery | undefined)[]) {}

  end(replies: unknown): void {
    const list = (Array.isArray(replies) ? replies : []) as [error: unknown, value: unknown][];
    for (const [index, command] of this.commands.entries()) {
      const error = list[index]?.[0];
      if (error) command?.fail(error);
      else command?.succeed();
    }
  }

  succeed(): void {
    this.end([]);
  }

  fail(error: unknown): void {
    for (const command of this.commands) command?.fail(error);
  }
}

/** Ends a batch with its replies, each of which is an error and a value. The last reply to a transaction is a list itself. */
function endBatch(replies: unknown, mode: BatchMode, query: StartedQuery): void {
  const list = (Array.isArray(replies) ? replies : []) as [error: unknown, value: unknown][];
  const [lastError, last] = list.at(-1) ?? [];
  const inner: unknown[] = Array.isArray(last) ? last : [];
  // The caller of a transaction that is not executed gets the error of its end.
  const failed = mode === 'MULTI' && lastError ? lastError : list.find((reply) => reply?.[0])?.[0];
  const error = failed ?? inner.find((reply) => reply instanceof Error);
  if (error) query.fail(error);
  else query.succeed();
}

/** Returns a promise whose rejection is not handled yet: while its channel has a subscriber, ioredis handles that of a transaction. */
function withUnhandledRejection(result: unknown): unknown {
  return afterwards(result, () => {});
}
