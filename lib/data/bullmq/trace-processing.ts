import { context, SpanKind } from '@opentelemetry/api';
import { types } from 'node:util';
import { callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import type { BullQueue } from './bullmq.js';
import type { JobSpan, JobTelemetry } from './job-telemetry.js';

/** The errors by which a processor asks for something else than an end: the job has not failed. */
const REQUESTS = new Set(['DelayedError', 'RateLimitError', 'WaitingChildrenError', 'WaitingError']);
/** The message of the error by which it asks for less work. */
const RATE_LIMIT = 'bullmq:rateLimitExceeded';

/**
 * Gives each job that a worker processes a span, where BullMQ has no interface for telemetry. Such a version stores no trace context with a
 * job, so the span has no link to the producer. Returns a function that undoes it.
 */
export function traceProcessing(worker: BullQueue, { tracer }: JobTelemetry): (() => void) | undefined {
  return interceptMethod(worker, 'callProcessJob', (process, thisArg, args) => {
    const span = tracer.startSpan(`process ${worker.name}`, { kind: SpanKind.CONSUMER });
    callSafely('Describing a job', () => describe(span, args[0]));
    const end = (error?: unknown) =>
      callSafely('The end of a job', () => {
        if (error !== undefined && !isRequest(error)) span.recordException(error);
        span.end();
      });
    try {
      const result = callInContext(span.setSpanOnContext(context.active()), process, thisArg, args);
      if (types.isPromise(result)) void result.then(() => end(), end);
      else end();
      return result;
    } catch (thrown) {
      end(thrown);
      throw thrown;
    }
  });
}

function describe(span: JobSpan, job: unknown): void {
  if (!isObject(job)) return;
  const { attemptsMade, id, name } = job as { attemptsMade?: number; id?: string; name?: string };
  span.setAttributes({
    ...(id !== undefined && { 'bullmq.job.id': id }),
    ...(name !== undefined && { 'bullmq.job.name': name }),
    ...(attemptsMade !== undefined && { 'bullmq.job.attempts.made': attemptsMade }),
  });
}

function isRequest(error: unknown): boolean {
  const { message, name } = error as { message?: unknown; name?: unknown };
  return message === RATE_LIMIT || REQUESTS.has(String(name));
}
