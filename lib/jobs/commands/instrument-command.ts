import 'reflect-metadata';
import { types } from 'node:util';
import { context, SpanKind, trace } from '@opentelemetry/api';
import { ATTR_CODE_FUNCTION_NAME } from '@opentelemetry/semantic-conventions';
import { callSafely } from '../../core/diagnostics.js';
import { hasMembers } from '../../core/has-members.js';
import { IncomingOperation } from '../../core/incoming-operation.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isNoSpan } from '../../core/no-span.js';
import { settle } from '../../core/settle.js';
import type { ObjectKind } from '../../core/found-objects.js';
import { JobExchange } from '../job-exchange.js';
import { JobWork, type OpenJobs } from '../job-work.js';
import { nameOfCommand, type CommandRunner } from './command-name.js';

export interface CommandSettings {
  /** Exports the spans that have ended so far. */
  readonly flush: () => Promise<void>;
  readonly open: OpenJobs;
}

/** The keys of the metadata that the class decorators of `nest-commander` set. */
const COMMAND_METADATA = ['Command', 'Subcommand', 'RootCommand'].map((kind) => `CommandBuilder:${kind}:Meta`);

/**
 * The longest time in milliseconds that the exception of a command waits for the export of its span. Applications often end the process as
 * soon as they get it.
 */
const MAX_EXPORT_TIME = 1000;

/** Returns the providers that are commands of `nest-commander`. */
export function commandHost(settings: CommandSettings): ObjectKind {
  return {
    name: 'command',
    matches: isCommand,
    instrument: (runner) => instrumentCommand(runner as CommandRunner, settings),
  };
}

function isCommand(candidate: object): boolean {
  if (!hasMembers(candidate, ['run', 'setCommand'])) return false;
  const { constructor } = candidate;
  return COMMAND_METADATA.some((key) => Reflect.hasMetadata(key, constructor));
}

/** Traces the runs of a command. `nest-commander` looks the method up when the command runs. */
function instrumentCommand(runner: CommandRunner, { flush, open }: CommandSettings): () => void {
  const undo = interceptMethod(runner, 'run', (run, thisArg, args) => {
    const result = settle(() => startCommand(runner, run, open), run, thisArg, args);
    // The span around another one is exported later.
    const isWithinSpan = trace.getSpan(context.active()) !== undefined;
    return types.isPromise(result) && !isWithinSpan ? exportBeforeFailing(result, flush) : result;
  });
  return () => undo?.();
}

function startCommand(runner: CommandRunner, run: object, open: OpenJobs): JobWork {
  const owner = runner.constructor;
  const methodName = `${owner.name}.run`;
  const exchange = new JobExchange({});
  // Outside of any span, a command is the root of a trace. A command that another one runs is part of that one.
  const parent = context.active();
  const incoming =
    isNoSpan(owner) || isNoSpan(run)
      ? IncomingOperation.measureOnly(exchange, undefined, parent)
      : IncomingOperation.start(callSafely('Naming a command', () => nameOfCommand(runner)) ?? methodName, exchange, {
          kind: SpanKind.INTERNAL,
          placement: { parent },
          attributes: { [ATTR_CODE_FUNCTION_NAME]: methodName },
          forFunction: methodName,
          meter: undefined,
        });
  return new JobWork(incoming, open);
}

/** Returns a promise that rejects only once the spans have been exported, or the time for it is up. */
function exportBeforeFailing(result: Promise<unknown>, flush: () => Promise<void>): Promise<unknown> {
  return result.catch(async (thrown: unknown) => {
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => (timer = setTimeout(resolve, MAX_EXPORT_TIME)));
    await Promise.race([flush(), timeUp]);
    clearTimeout(timer);
    throw thrown;
  });
}
