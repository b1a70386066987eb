import { types } from 'node:util';
import { errorType } from '../../core/exception.js';

/** Codes of errors by which clients say that their caller has given up. */
const CANCELLED = new Set<unknown>(['ABORT_ERR', 'ERR_CANCELED', 'ERR_ABORTED', 'UND_ERR_ABORTED']);

/** Whether a request ended with this because its own caller no longer wanted it. Running out of time is a failure. */
export function isCancellation(thrown: unknown): boolean {
  if (isTimeout(thrown)) return false;
  // An error of a connection is always an object; only the caller's reason for `abort(reason)` may be something else.
  if (typeof thrown !== 'object' || thrown === null) return true;
  return field(thrown, 'name') === 'AbortError' || CANCELLED.has(field(thrown, 'code'));
}

/** `error.type` of a request that failed: the code of Node or of the client where there is one, else the error's class. */
export function failureType(thrown: unknown): string {
  if (isTimeout(thrown)) return 'TimeoutError';
  const code = field(thrown, 'code');
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,63}$/.test(code) ? code : errorType(thrown);
}

/** True if the request ended because undici's retry handler refused its answer, to ask again or to give the status as an error. */
export function isRefusedAnswer(thrown: unknown): boolean {
  return field(thrown, 'code') === 'UND_ERR_REQ_RETRY';
}

/** What `AbortSignal.timeout()` ends a request with: fetch passes it on, `node:http` gives it as the cause. */
function isTimeout(thrown: unknown): boolean {
  return isDomTimeout(thrown) || (field(thrown, 'name') === 'AbortError' && isDomTimeout(field(thrown, 'cause')));
}

// Clients have errors of this name too; theirs come with a code that says more.
function isDomTimeout(value: unknown): boolean {
  return field(value, 'name') === 'TimeoutError' && typeof field(value, 'code') !== 'string';
}

function field(value: unknown, key: 'name' | 'code' | 'cause'): unknown {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return undefined;
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}
