import { activeContext } from '../../core/context-manager.js';
import { callSafely, reportIgnored } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import type { CurrentSettings } from '../query-settings.js';
import { startCommand } from '../redis/start-command.js';
import type { StartedQuery } from '../start-query.js';
import { instrumentCluster } from './instrument-cluster.js';
import { instrumentConnections } from './instrument-connections.js';
import { isTracedElsewhere } from './instrumented-elsewhere.js';
import { instrumentPipeline } from './instrument-pipeline.js';
import { isIoredisClient, isPipeline, targetOfClient, type IoredisClient, type IoredisCommand } from './ioredis.js';
import { endWhenSettled, enterTarget, hideFramesOfRejection, leaveTarget } from './end-when-settled.js';

/**
 * Instruments a client of ioredis, or a cluster.
 *
 * The channels of ioredis come too late for this: a command that waits for the connection, or for a pipeline of ioredis' own, is announced in
 * the context of another request. Besides, ioredis handles the rejections of a command that it announces, so that Node would no longer
 * report those that the application leaves unhandled.
 */
export function instrumentClient(client: IoredisClient, settings: CurrentSettings): () => void {
  function start(command: IoredisCommand, isTracedElsewhere: boolean): StartedQuery | undefined {
    const current = claimCommand(command) && settings();
    if (!current) return undefined;
    const options = { caller: activeContext(), isTracedElsewhere, target: targetOfClient(client) };
    return startCommand(command.name, command.args, current, options);
  }

  function follow(command: IoredisCommand, isTracedElsewhere: boolean): void {
    const started = start(command, isTracedElsewhere);
    if (started) endWhenSettled(command, started);
  }

  const undos = [
    interceptMethod(client, 'sendCommand', (sendCommand, thisArg, args) => {
      const command = args[0] as IoredisCommand;
      try {
        // The commands of a pipeline have been followed when they were added to it, or the pipeline has the span.
        if (!isPipeline(args[1])) follow(command, isTracedElsewhere(client, sendCommand));
        else if (claimCommand(command)) hideFramesOfRejection(command);
      } catch (error) {
        reportIgnored('Tracing a command of ioredis', error);
      }
      const outer = enterTarget(command);
      try {
        return Reflect.apply(sendCommand, thisArg, args);
      } finally {
        leaveTarget(outer);
      }
    }),
    ...(['PIPELINE', 'MULTI'] as const).map((mode) =>
      interceptMethod(client, mode.toLowerCase(), (create, thisArg, args) => {
        const pipeline = Reflect.apply(create, thisArg, args);
        callSafely('Tracing a pipeline of ioredis', () => {
          if (isPipeline(pipeline)) instrumentPipeline(pipeline, mode, client, settings, start);
        });
        return pipeline;
      }),
    ),
  ];
  if (client.isCluster) undos.push(instrumentCluster(client));
  undos.push(
    ...instrumentConnections(client, (duplicate) =>
      isIoredisClient(duplicate) ? instrumentClient(duplicate, settings) : undefined,
    ),
  );
  return () => {
    for (const undo of undos) undo?.();
  };
}

/**
 * Keeps a command off the channel. Returns false if that has been done before, or if the command was announced: it has a span then, or
 * deliberately none. A command is sent again from the offline queue, and after a reconnect.
 */
function claimCommand(command: IoredisCommand): boolean {
  if (command.isTraced) return false;
  command.isTraced = true;
  return true;
}
