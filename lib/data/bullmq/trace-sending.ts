import { context, SpanKind, type Context } from '@opentelemetry/api';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { takeTraceContext, withTraceContext, withTraceContextInJobs } from '../../core/job-options.js';
import { settle } from '../../core/settle.js';
import type { Work } from '../../core/work.js';
import type { BullFlowProducer, BullQueue } from './bullmq.js';
import { jobsOfFlow, withTraceContextInFlow } from './flows.js';
import type { JobSpan, JobTelemetry } from './job-telemetry.js';
import { jobAttributes } from './messages.js';

type Undo = (() => void) | undefined;

/** A method that adds jobs. */
interface SendMethod {
  readonly method: 'add' | 'addBulk' | 'upsertJobScheduler';
  /** Returns the name that BullMQ gives to the span of a call. */
  spanName(args: readonly unknown[]): string;
  /** Returns the arguments with the trace context in the options of each job. */
  addContext(args: readonly unknown[], metadata: string): readonly unknown[];
  /** Returns the jobs that a call has added. */
  jobsOf(result: unknown): readonly unknown[];
}

const ADD: SendMethod = {
  method: 'add',
  spanName: () => 'add',
  addContext: ([name, data, opts, ...rest], metadata) => [name, data, withTraceContext(opts, metadata), ...rest],
  jobsOf: (job) => [job],
};

const ADD_BULK: SendMethod = {
  method: 'addBulk',
  spanName: () => 'addBulk',
  addContext: ([jobs, ...rest], metadata) => [withTraceContextInJobs(jobs, metadata), ...rest],
  jobsOf: (jobs) => (Array.isArray(jobs) ? (jobs as unknown[]) : []),
};

const ADD_SCHEDULER: SendMethod = {
  ...ADD,
  method: 'upsertJobScheduler',
  addContext: ([id, repeat, template, ...rest], metadata) => {
    const { opts } = (template ?? {}) as { opts?: unknown };
    return [id, repeat, { ...(template as object | undefined), opts: withTraceContext(opts, metadata) }, ...rest];
  },
};

const ADD_FLOW: SendMethod = {
  method: 'add',
  spanName: ([flow]) => `addFlow ${(flow as { queueName?: unknown } | undefined)?.queueName as string}`,
  addContext: ([flow, ...rest], metadata) => [withTraceContextInFlow(flow, metadata), ...rest],
  jobsOf: jobsOfFlow,
};

const ADD_FLOWS: SendMethod = { ...ADD_FLOW, method: 'addBulk', spanName: () => 'addBulkFlows' };

/**
 * Traces the calls that add jobs to a queue, where BullMQ has no interface for telemetry. Such a version stores options that it does not know
 * with a job, so the trace context is stored in the same form as by later versions. Returns functions that undo it.
 */
export function traceSending(queue: BullQueue, telemetry: JobTelemetry): readonly Undo[] {
  return [ADD, ADD_BULK, ADD_SCHEDULER].map((method) => traceMethod(queue, method, () => telemetry));
}

/** Traces the calls that add flows, unless the application has given the producer a telemetry of its own. Returns functions that undo it. */
export function traceFlows(producer: BullFlowProducer, telemetry: JobTelemetry): readonly Undo[] {
  const current = () => (producer.telemetry === undefined ? telemetry : undefined);
  return [ADD_FLOW, ADD_FLOWS].map((method) => traceMethod(producer, method, current));
}

function traceMethod(
  target: object,
  { addContext, jobsOf, method, spanName }: SendMethod,
  current: () => JobTelemetry | undefined,
): Undo {
  return interceptMethod(target, method, (add, thisArg, args) => {
    const telemetry = current();
    if (!telemetry) return Reflect.apply(add, thisArg, args);
    const start = () => new SendWork(telemetry, spanName(args), jobsOf);
    return settle(start, add, thisArg, (work) => {
      const metadata = work?.metadata;
      return (metadata && callSafely('Adding the trace context to a job', () => addContext(args, metadata))) || args;
    });
  });
}

/** A call that adds jobs. */
class SendWork implements Work {
  readonly context: Context;
  readonly isOnlyAwaited = true;
  /** The trace context that is stored with the jobs. Empty if there is none. */
  readonly metadata: string;
  readonly #span: JobSpan;

  constructor(
    { contextManager, tracer }: JobTelemetry,
    spanName: string,
    private readonly jobsOf: SendMethod['jobsOf'],
  ) {
    this.#span = tracer.startSpan(spanName, { kind: SpanKind.PRODUCER });
    this.context = this.#span.setSpanOnContext(context.active());
    this.metadata = contextManager.getMetadata(this.context);
  }

  restart(): void {}

  succeed(result: unknown): void {
    callSafely('Describing a job', () => this.describe(this.jobsOf(result)));
    this.#span.end();
  }

  fail(thrown: unknown): void {
    this.#span.recordException(thrown);
    this.#span.end();
  }

  complete(): void {
    this.#span.end();
  }

  cancel(): void {
    this.#span.end();
  }

  /** Describes the jobs, and gives them the options back that the application has given. */
  private describe(jobs: readonly unknown[]): void {
    for (const job of jobs) if (isObject(job)) takeTraceContext(job);
    const [job] = jobs;
    if (jobs.length > 1) this.#span.setAttribute('bullmq.job.bulk.count', jobs.length);
    else if (isObject(job)) this.#span.setAttributes({ ...jobAttributes(job), 'bullmq.job.attempts.made': undefined });
  }
}
