import { defaultTextMapGetter, ROOT_CONTEXT, SpanKind, type Attributes, type Context } from '@opentelemetry/api';
import { callSafely } from './diagnostics.js';
import { readCarrier } from './job-carrier.js';
import { OutgoingOperation } from './outgoing-operation.js';
import { QueueCall } from './queue-call.js';
import { messageAttributes, messageSpanName } from './queue-messages.js';
import { resolveLink } from './span-placement.js';
import type { Work } from './work.js';

/** A job that the application has taken from a queue. */
export interface ReceivedJob {
  /** The value of `messaging.system`. */
  readonly system: string;
  readonly queue: string;
  readonly attributes: Attributes;
  /** The trace context of the producer, as it is stored with the job. */
  readonly metadata: unknown;
}

/**
 * A call by which the application takes a job from a queue, to process it by itself. If there is a job, the call has a span with a link to
 * the producer of the job; a call that finds none, as most calls of a loop do, has no span.
 */
export class JobReceipt implements Work {
  readonly context = undefined;
  readonly isOnlyAwaited = true;
  readonly #startedAt = performance.now();

  /**
   * @param caller the context of the call; undefined if the call has no span
   * @param read describes the result of the call; returns undefined if it is no job
   */
  constructor(
    private readonly caller: Context | undefined,
    private readonly read: (result: unknown) => ReceivedJob | undefined,
  ) {}

  restart(): void {}

  succeed(result: unknown): void {
    callSafely('Tracing a job that the application takes', () => {
      const job = this.read(result);
      if (job && this.caller) this.record(job, this.caller);
    });
  }

  complete(): void {}

  fail(): void {}

  cancel(): void {}

  private record({ attributes: ofJob, metadata, queue, system }: ReceivedJob, caller: Context): void {
    const attributes = { ...messageAttributes(system, 'receive', queue), ...ofJob };
    const { links } = resolveLink(ROOT_CONTEXT, readCarrier(metadata), defaultTextMapGetter, true);
    const options = {
      kind: SpanKind.CLIENT,
      parent: caller,
      attributes,
      links,
      startTime: this.#startedAt,
      meter: undefined,
    };
    OutgoingOperation.start(messageSpanName('receive', queue), new QueueCall(attributes), options).end('complete');
  }
}
