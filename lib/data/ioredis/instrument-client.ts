import { context } from '@opentelemetry/api';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isWrappedElsewhere } from '../other-instrumentation.js';
import type { CurrentSettings } from '../query-settings.js';
import { startCommand } from '../redis/start-command.js';
import { instrumentPipeline } from './instrument-pipeline.js';
import { isPipeline, targetOfClient, type IoredisClient, type IoredisCommand } from './ioredis.js';
import { onSettled } from './on-settled.js';

/** The commands that have a span, or deliberately have none. A command is sent again from the offline queue, and after a reconnect. */
const followedCommands = new WeakSet<IoredisCommand>();

/**
 * Instruments a client of ioredis, or a cluster.
 *
 * The channels of ioredis come too late for this: a command that waits for the connection, or for a pipeline of ioredis' own, is announced in
 * the context of another request. Besides, ioredis handles the rejections of a command that it announces, so that Node would no longer
 * report those that the application leaves unhandled.
 */
export function instrumentClient(client: IoredisClient, settings: CurrentSettings): () => void {
  function follow(command: IoredisCommand, isTracedElsewhere: boolean): void {
    const current = claimCommand(command) && settings();
    if (!current) return;
    const options = { caller: context.active(), isTracedElsewhere, target: targetOfClient(client) };
    const started = startCommand(command.name, command.args, current, options);
    if (!started) return;
    onSettled(command, 'resolve', () => started.succeed());
    onSettled(command, 'reject', (error) => started.fail(error));
  }

  const undos = [
    interceptMethod(client, 'sendCommand', (sendCommand, thisArg, args) => {
      const [command, stream] = args as [IoredisCommand, unknown];
      callSafely('Tracing a command of ioredis', () => {
        // The commands of a pipeline have been followed when they were added to it, or the pipeline has the span.
        if (isPipeline(stream)) claimCommand(command);
        else follow(command, isWrappedElsewhere(sendCommand));
      });
      return Reflect.apply(sendCommand, thisArg, args);
    }),
    ...(['PIPELINE', 'MULTI'] as const).map((mode) =>
      interceptMethod(client, mode.toLowerCase(), (create, thisArg, args) => {
        const pipeline = Reflect.apply(create, thisArg, args);
        callSafely('Tracing a pipeline of ioredis', () => {
          if (isPipeline(pipeline)) instrumentPipeline(pipeline, mode, client, settings, follow);
        });
        return pipeline;
      }),
    ),
  ];
  return () => {
    for (const undo of undos) undo?.();
  };
}

/** Keeps a command off the channel. Returns false if that has been done before. */
function claimCommand(command: IoredisCommand): boolean {
  if (followedCommands.has(command)) return false;
  followedCommands.add(command);
  command.isTraced = true;
  return true;
}
