import {
  defaultTextMapGetter,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Attributes,
  type Context,
} from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { errorType } from '../../core/exception.js';
import { IncomingOperation, type IncomingExchange } from '../../core/incoming-operation.js';
import { readCarrier } from '../../core/job-carrier.js';
import type { Operation } from '../../core/operation.js';
import { activeJobAttributes, messageAttributes, messageSpanName } from '../../core/queue-messages.js';
import { resolvePlacement } from '../../core/span-placement.js';
import type { QuerySettings } from '../query-settings.js';
import { withJobMetadata, withStoredMetadata } from './job-contexts.js';
import type { JobSpan } from './job-telemetry.js';
import { BULLMQ, messageMeter, recordedAttributes } from './messages.js';

/** The outcome of a job. The error is missing if BullMQ has only reported that there was one. */
type JobOutcome = 'complete' | { readonly error?: unknown };

/** The event by which BullMQ reports that a job has failed. */
const FAILED = 'job failed';
const OTHER_ERROR = '_OTHER';

/** The span of a job that a worker processes. It begins a trace with a link to the producer, or continues the trace of the producer. */
export class ProcessSpan implements JobSpan {
  readonly #incoming: IncomingOperation<JobOutcome>;
  readonly #job: ProcessedJob;

  constructor(
    queue: string,
    private readonly metadata: string,
    settings: QuerySettings,
  ) {
    const attributes = messageAttributes(BULLMQ, 'process', queue);
    const isContinued = settings.continueTrace === true;
    this.#job = new ProcessedJob(attributes);
    this.#incoming = IncomingOperation.start(messageSpanName('process', queue), this.#job, {
      kind: SpanKind.CONSUMER,
      placement: resolvePlacement(ROOT_CONTEXT, readCarrier(metadata), defaultTextMapGetter, isContinued),
      attributes,
      meter: messageMeter('process', settings),
    });
    this.#incoming.measure(() => activeJobAttributes(BULLMQ, queue));
  }

  setSpanOnContext(): Context {
    const context = withJobMetadata(this.#incoming.context, this.metadata);
    return withStoredMetadata(context, () => this.metadata);
  }

  setAttribute(key: string, value: unknown): void {
    this.setAttributes({ [key]: value } as Attributes);
  }

  setAttributes(attributes: Attributes): void {
    this.#incoming.describe('Describing a job', () => recordedAttributes(attributes));
  }

  addEvent(name: string): void {
    if (name === FAILED) this.#job.outcome = this.#job.outcome === 'complete' ? {} : this.#job.outcome;
  }

  recordException(error: unknown): void {
    this.#job.outcome = { error };
  }

  end(): void {
    this.#incoming.end(this.#job.outcome);
  }
}

/** Reports the error of the job that is processed in the active context. */
export function reportFailedJob(error: unknown): void {
  const job = IncomingOperation.active()?.exchange;
  if (job instanceof ProcessedJob) job.outcome = { error };
}

class ProcessedJob implements IncomingExchange<JobOutcome> {
  outcome: JobOutcome = 'complete';

  constructor(private readonly attributes: Attributes) {}

  describeEnd(operation: Operation, outcome: JobOutcome): void {
    if (outcome === 'complete') return;
    if ('error' in outcome) {
      operation.fail(outcome.error);
      return;
    }
    operation.span.setAttribute(ATTR_ERROR_TYPE, OTHER_ERROR);
    operation.span.setStatus({ code: SpanStatusCode.ERROR });
  }

  measuredAttributes(outcome: JobOutcome): Attributes {
    if (outcome === 'complete') return this.attributes;
    return { ...this.attributes, [ATTR_ERROR_TYPE]: 'error' in outcome ? errorType(outcome.error) : OTHER_ERROR };
  }
}
