import { context, defaultTextMapGetter, ROOT_CONTEXT, SpanKind, type Context } from '@opentelemetry/api';
import { callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { IncomingOperation } from '../../core/incoming-operation.js';
import type { CallOutcome } from '../../core/incoming-work.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { readCarrier } from '../../core/job-carrier.js';
import { takeTraceContext } from '../../core/job-options.js';
import { areCommandsMuted, muteCommands } from '../../core/muted-keys.js';
import { activeJobAttributes, messageAttributes, messageSpanName } from '../../core/queue-messages.js';
import { settle } from '../../core/settle.js';
import { resolvePlacement } from '../../core/span-placement.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { JobExchange } from '../job-exchange.js';
import { JobWork, type OpenJobs } from '../job-work.js';
import { isBullJob, type BullJob, type BullQueue } from './bull.js';
import { ATTR_ATTEMPTS, BULL, jobAttributes, type BullSettings } from './bull-settings.js';

/** The name of the processor of jobs whose name has none. */
const ANY_NAME = '*';

/** The jobs that are being processed. */
const works = new WeakMap<object, ProcessingWork>();

/** The functions that call a processor in the context of its job. */
const contextualHandlers = new WeakSet<object>();

/** Traces the processing of the jobs of a queue, until Bull has stored how it has ended. Returns functions that undo it. */
export function traceConsumer(queue: BullQueue, settings: BullSettings): readonly ((() => void) | undefined)[] {
  const undoHandlers: (() => void)[] = [];
  return [
    interceptMethod(queue, 'processJob', (processJob, thisArg, args) => {
      const [job] = args;
      if (!isBullJob(job)) return Reflect.apply(processJob, thisArg, args);
      for (const name of [job.name, ANY_NAME]) {
        const undo = callSafely('Tracing a processor of Bull', () => callHandlerInContext(queue, name));
        if (undo) undoHandlers.push(undo);
      }
      return settle(() => startProcessing(queue.name, job, settings), processJob, thisArg, args);
    }),
    interceptMethod(queue, 'emit', (emit, thisArg, args) => {
      const [event, job, error] = args;
      const work = isObject(job) ? works.get(job) : undefined;
      if (!work) return callUnmuted(emit, thisArg, args);
      // Bull handles the exception of a processor itself, and reports it to its listeners.
      if (event === 'failed') work.failure = { error };
      return callInContext(work.incoming.context, emit, thisArg, args);
    }),
    () => {
      for (const undo of undoHandlers) undo();
    },
  ];
}

/** Calls the listeners of an event that belongs to no job. Bull emits some of them while it works on one. */
function callUnmuted(emit: AnyMethod, thisArg: unknown, args: readonly unknown[]): unknown {
  const active = context.active();
  if (!areCommandsMuted(active)) return Reflect.apply(emit, thisArg, args);
  return callInContext(ROOT_CONTEXT, emit, thisArg, args);
}

/**
 * Calls the processor of jobs with this name in the context of the job, while Bull works in one in which its own commands have no spans.
 * Returns a function that undoes it; undefined if there is no such processor, or if that is so already.
 */
function callHandlerInContext({ handlers }: BullQueue, name: string): (() => void) | undefined {
  const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
  if (typeof handler !== 'function' || contextualHandlers.has(handler)) return undefined;
  function handleInContext(this: unknown, ...args: unknown[]): unknown {
    const [job] = args;
    const work = isObject(job) ? works.get(job) : undefined;
    if (!work) return Reflect.apply(handler as AnyMethod, this, args);
    return callInContext(work.incoming.context, handler as AnyMethod, this, args);
  }
  contextualHandlers.add(handleInContext);
  handlers[name] = handleInContext;
  return () => {
    if (handlers[name] === handleInContext) handlers[name] = handler;
  };
}

function startProcessing(queue: string, job: BullJob, settings: BullSettings): ProcessingWork {
  const attributes = messageAttributes(BULL, 'process', queue);
  const carrier = readCarrier(takeTraceContext(job));
  const incoming = IncomingOperation.start(messageSpanName('process', queue), new JobExchange(attributes), {
    kind: SpanKind.CONSUMER,
    placement: resolvePlacement(ROOT_CONTEXT, carrier, defaultTextMapGetter, settings.continueTrace),
    attributes: { ...attributes, ...jobAttributes(job), [ATTR_ATTEMPTS]: job.attemptsMade + 1 },
    meter: settings.processMeter,
  });
  incoming.measure(() => activeJobAttributes(BULL, queue));
  return new ProcessingWork(job, incoming, settings.open);
}

/** The processing of a job. Bull's promise fulfils with the next job, also if this one has failed. */
class ProcessingWork extends JobWork {
  failure: { readonly error: unknown } | undefined;
  readonly #context: Context;

  constructor(
    private readonly job: BullJob,
    incoming: IncomingOperation<CallOutcome>,
    open: OpenJobs,
  ) {
    super(incoming, open);
    this.#context = muteCommands(incoming.context);
    works.set(job, this);
  }

  /** The context in which Bull works on the job. */
  override get context(): Context {
    return this.#context;
  }

  override succeed(): void {
    if (this.failure) this.fail(this.failure.error);
    else super.succeed();
  }

  protected override release(): void {
    super.release();
    works.delete(this.job);
  }
}
