import { isObject } from '../../core/is-object.js';
import type { BullJob } from './bull.js';

/**
 * The option of a job that holds the trace context of its producer, as text. BullMQ has an option of this name and form. Bull stores options
 * that it does not know with the job, keeps them for every attempt and every repetition, and otherwise ignores them, and so does
 * any other worker. The data of the job belongs to the application, and stays as it is.
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

/** Returns the trace context in the options of a job, and removes it, so that the application has the options that it has given. */
export function takeTraceContext({ opts }: BullJob): string | undefined {
  const present = opts[OPTION];
  if (!isStoredContext(present)) return undefined;
  delete opts[OPTION];
  return present.metadata;
}

function isStoredContext(value: unknown): value is StoredContext {
  if (!isObject(value)) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && keys[0] === 'metadata' && typeof (value as StoredContext).metadata === 'string';
}
