import { SpanKind, trace, type Attributes, type Context } from '@opentelemetry/api';
import { writeCarrier } from '../../core/job-carrier.js';
import { OutgoingOperation } from '../../core/outgoing-operation.js';
import { QueueCall, type QueueCallOutcome } from '../../core/queue-call.js';
import { messageAttributes, messageSpanName } from '../../core/queue-messages.js';
import { isTracingSuppressed } from '../../core/suppression.js';
import { hideOwnFrames, withholdDriverError } from '../failure.js';
import { coverQueries, uncoverQueries } from '../layers.js';
import type { QuerySettings } from '../query-settings.js';
import { withStoredMetadata } from './job-contexts.js';
import type { JobSpan } from './job-telemetry.js';
import { BULLMQ, messageMeter, recordedAttributes } from './messages.js';

/** True if the span of a producer may be started in a context: it has a parent, or may begin a trace. */
export function isSendTraced(caller: Context, { rootSpans }: QuerySettings): boolean {
  const parent = trace.getSpanContext(caller);
  return !isTracingSuppressed(caller) && (rootSpans || (parent !== undefined && trace.isSpanContextValid(parent)));
}

/** The span of a producer that adds jobs to a queue. The commands of Redis below it have no spans of their own. */
export class SendSpan implements JobSpan {
  readonly #outgoing: OutgoingOperation<QueueCallOutcome>;
  #outcome: QueueCallOutcome = 'complete';

  /** @param queue undefined if the jobs are for different queues */
  constructor(queue: string | undefined, caller: Context, settings: QuerySettings) {
    const attributes = messageAttributes(BULLMQ, 'send', queue);
    this.#outgoing = OutgoingOperation.start(messageSpanName('send', queue), new QueueCall(attributes), {
      kind: SpanKind.PRODUCER,
      parent: caller,
      attributes,
      meter: messageMeter('send', settings),
    });
    this.#outgoing.measure(() => attributes);
    coverQueries(this.#outgoing.span);
  }

  setSpanOnContext(): Context {
    const { context } = this.#outgoing;
    return withStoredMetadata(context, () => writeCarrier(context));
  }

  setAttribute(key: string, value: unknown): void {
    this.setAttributes({ [key]: value } as Attributes);
  }

  setAttributes(attributes: Attributes): void {
    this.#outgoing.describe('Describing a job', () => recordedAttributes(attributes));
  }

  addEvent(): void {}

  recordException(error: unknown): void {
    hideOwnFrames(error);
    withholdDriverError(error, this.#outgoing.context);
    this.#outcome = { error };
  }

  end(): void {
    this.#outgoing.end(this.#outcome);
    uncoverQueries(this.#outgoing.span);
  }
}
