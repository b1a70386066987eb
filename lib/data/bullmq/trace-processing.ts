import { context, SpanKind } from '@opentelemetry/api';
import { types } from 'node:util';
import { callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { takeTraceContext } from '../../core/job-options.js';
import type { BullQueue } from './bullmq.js';
import type { JobTelemetry } from './job-telemetry.js';
import { jobAttributes } from './messages.js';

/** The errors by which a processor asks for something else than an end: the job has not failed. */
const REQUESTS = new Set(['DelayedError', 'RateLimitError', 'WaitingChildrenError', 'WaitingError']);
/** The message of the error by which it asks for less work. */
const RATE_LIMIT = 'bullmq:rateLimitExceeded';

/**
 * Gives each job that a worker processes a span, where BullMQ has no interface for telemetry. The trace context of the producer is removed
 * from the job, so that the processor gets the options that the application has given. Returns a function that undoes it.
 */
export function traceProcessing(worker: BullQueue, { contextManager, tracer }: JobTelemetry): (() => void) | undefined {
  return interceptMethod(worker, 'callProcessJob', (process, thisArg, args) => {
    const [job] = args;
    const metadata = isObject(job) ? takeStoredContext(job) : undefined;
    const producer = metadata === undefined ? undefined : contextManager.fromMetadata(context.active(), metadata);
    const span = tracer.startSpan(`process ${worker.name}`, { kind: SpanKind.CONSUMER }, producer);
    callSafely('Describing a job', () => isObject(job) && span.setAttributes(jobAttributes(job)));
    const end = (failure?: { readonly error: unknown }) =>
      callSafely('The end of a job', () => {
        if (failure && !isRequest(failure.error)) span.recordException(failure.error);
        span.end();
      });
    const fail = (error: unknown) => end({ error });
    try {
      const result = callInContext(span.setSpanOnContext(context.active()), process, thisArg, args);
      if (types.isPromise(result)) void result.then(() => end(), fail);
      else end();
      return result;
    } catch (thrown) {
      fail(thrown);
      throw thrown;
    }
  });
}

/**
 * Returns the trace context that is stored with a job. Another version, as a producer, has stored it under a short name of the option, which
 * versions 5.22 and 5.23 give back as `telemetryMetadata`.
 */
export function takeStoredContext(job: object): string | undefined {
  const { opts } = job as { opts?: { tm?: unknown; telemetryMetadata?: unknown } };
  const stored = opts?.telemetryMetadata ?? opts?.tm;
  return takeTraceContext(job) ?? (typeof stored === 'string' ? stored : undefined);
}

function isRequest(error: unknown): boolean {
  if (!isObject(error)) return false;
  const { message, name } = error as { message?: unknown; name?: unknown };
  return message === RATE_LIMIT || REQUESTS.has(String(name));
}
