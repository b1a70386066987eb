import { isObject } from './is-object.js';

/**
 * The option of a job that holds the trace context of its producer, as text. BullMQ has an option of this name and form from version 5.22 on.
 * Earlier versions and Bull store options that they do not know with the job, keep them for every attempt and every repetition, and
 * otherwise ignore them, and so does any other worker. The data of the job belongs to the application, and stays as it is.
 */
const OPTION = 'telemetry';

interface StoredContext {
  readonly metadata: string;
}

/** Returns a copy of the options of a job with the trace context. The options themselves, if they are none, or if the name is taken. */
export function withTraceContext(options: unknown, metadata: string): unknown {
  if (options === undefined || options === null) return { [OPTION]: { metadata } };
  if (typeof options !== 'object') return options;
  const present = (options as Record<string, unknown>)[OPTION];
  // The application may add a job again with the options of one that it has read.
  return present === undefined || isStoredContext(present) ? { ...options, [OPTION]: { metadata } } : options;
}

/** Returns copies of descriptions of jobs with the trace context in the options of each. */
export function withTraceContextInJobs(jobs: unknown, metadata: string): unknown {
  if (!Array.isArray(jobs)) return jobs;
  return jobs.map((job: { opts?: unknown }) => ({ ...job, opts: withTraceContext(job.opts, metadata) }));
}

/** Returns the trace context in the options of a job, and removes it, so that the application has the options that it has given. */
export function takeTraceContext(job: object): string | undefined {
  const { opts } = job as { opts?: unknown };
  const present = isObject(opts) ? (opts as Record<string, unknown>)[OPTION] : undefined;
  if (!isStoredContext(present)) return undefined;
  delete (opts as Record<string, unknown>)[OPTION];
  return present.metadata;
}

function isStoredContext(value: unknown): value is StoredContext {
  if (!isObject(value)) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && keys[0] === 'metadata' && typeof (value as StoredContext).metadata === 'string';
}
