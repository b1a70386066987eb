import { context, SpanKind, trace, type Context } from '@opentelemetry/api';
import { callSafely } from '../../core/diagnostics.js';
import { IncomingOperation } from '../../core/incoming-operation.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { writeCarrier } from '../../core/job-carrier.js';
import { takeTraceContext, withTraceContext, withTraceContextInJobs } from '../../core/job-options.js';
import { muteCommands } from '../../core/muted-keys.js';
import { OutgoingOperation } from '../../core/outgoing-operation.js';
import { QueueCall, type QueueCallOutcome } from '../../core/queue-call.js';
import { messageAttributes, messageSpanName } from '../../core/queue-messages.js';
import { settle } from '../../core/settle.js';
import { isTracingSuppressed } from '../../core/suppression.js';
import { withholdDetails } from '../../core/withheld-details.js';
import type { Work } from '../../core/work.js';
import { isBullJob, type BullQueue } from './bull.js';
import { BULL, jobAttributes, type BullSettings } from './bull-settings.js';

/** Traces the calls that add jobs to a queue. Returns functions that undo it. */
export function traceProducer(queue: BullQueue, settings: BullSettings): readonly ((() => void) | undefined)[] {
  return [
    traceCall(queue, 'add', settings, withContextInCall),
    traceCall(queue, 'addBulk', settings, ([jobs, ...others], metadata) => [
      withTraceContextInJobs(jobs, metadata),
      ...others,
    ]),
  ];
}

type AddContext = (args: readonly unknown[], metadata: string) => readonly unknown[];

function traceCall(
  queue: BullQueue,
  method: string,
  settings: BullSettings,
  addContext: AddContext,
): (() => void) | undefined {
  return interceptMethod(queue, method, (add, thisArg, args) => {
    const caller = context.active();
    if (isTracingSuppressed(caller)) return Reflect.apply(add, thisArg, args);
    const start = () => new AddedJobs(queue.name, caller, settings);
    return settle(start, add, thisArg, (work) => {
      const metadata = work && writeCarrier(work.carried);
      return (metadata && callSafely('Adding the trace context to a job', () => addContext(args, metadata))) || args;
    });
  });
}

/** Adds the trace context to the arguments of `add()`, whose first one, the name, may be left out. */
function withContextInCall(args: readonly unknown[], metadata: string): readonly unknown[] {
  const options = typeof args[0] === 'string' ? 2 : 1;
  const copy = [...args];
  copy[options] = withTraceContext(args[options], metadata);
  return copy;
}

/** A call that adds jobs. It has a span if it is part of a trace. */
class AddedJobs implements Work {
  /** The context in which Bull sends its commands. */
  readonly context: Context;
  readonly isOnlyAwaited = true;
  /** The context that is stored with the jobs. */
  readonly carried: Context;
  readonly #outgoing: OutgoingOperation<QueueCallOutcome> | undefined;

  constructor(
    queue: string,
    private readonly caller: Context,
    { sendMeter }: BullSettings,
  ) {
    const parent = trace.getSpanContext(caller);
    if (parent && trace.isSpanContextValid(parent)) {
      const attributes = messageAttributes(BULL, 'send', queue);
      this.#outgoing = OutgoingOperation.start(messageSpanName('send', queue), new QueueCall(attributes), {
        kind: SpanKind.PRODUCER,
        parent: caller,
        attributes,
        meter: sendMeter,
      });
      this.#outgoing.measure(() => attributes);
    }
    this.context = muteCommands(caller);
    this.carried = this.#outgoing?.context ?? caller;
  }

  restart(): void {}

  succeed(result: unknown): void {
    callSafely('Describing a job', () => {
      for (const job of Array.isArray(result) ? result : [result]) if (isBullJob(job)) takeTraceContext(job);
    });
    this.#outgoing?.describe('Describing a job', () => jobAttributes(result));
    this.#outgoing?.end('complete');
  }

  fail(error: unknown): void {
    // The errors of Redis may quote values.
    withholdDetails(error);
    IncomingOperation.in(this.caller)?.withholdDetails();
    this.#outgoing?.end({ error });
  }

  complete(): void {
    this.#outgoing?.end('complete');
  }

  cancel(): void {
    this.#outgoing?.end('complete');
  }
}
