import { types } from 'node:util';
import { errorType } from '../../core/exception.js';

/** The error codes with which clients report that the application has cancelled a request. */
const CANCELLATION_CODES = new Set<unknown>(['ABORT_ERR', 'ERR_CANCELED', 'ERR_ABORTED', 'UND_ERR_ABORTED']);

/** True if the application has cancelled the request. A timeout is not a cancellation but a failure. */
export function isCancellation(thrown: unknown): boolean {
  if (isTimeout(thrown)) return false;
  // Connection errors are always objects. Only the reason that the application gives to `abort(reason)` may be another value.
  if (typeof thrown !== 'object' || thrown === null) return true;
  return readField(thrown, 'name') === 'AbortError' || CANCELLATION_CODES.has(readField(thrown, 'code'));
}

/** The `error.type` of a failed request: the error code of Node or of the client, or else the class of the error. */
export function failureType(thrown: unknown): string {
  if (isTimeout(thrown)) return 'TimeoutError';
  const code = readField(thrown, 'code');
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,63}$/.test(code) ? code : errorType(thrown);
}

/** True if undici's retry handler rejected the response, to send the request again or to report its status as an error. */
export function isRejectedResponse(thrown: unknown): boolean {
  return readField(thrown, 'code') === 'UND_ERR_REQ_RETRY';
}

/** True for the error of `AbortSignal.timeout()`. fetch reports that error itself, and `node:http` reports it as the cause. */
function isTimeout(thrown: unknown): boolean {
  return (
    isDomTimeout(thrown) || (readField(thrown, 'name') === 'AbortError' && isDomTimeout(readField(thrown, 'cause')))
  );
}

/** True for a `TimeoutError` of the web platform. Those of clients have a text as code, which tells more than the name. */
function isDomTimeout(value: unknown): boolean {
  return readField(value, 'name') === 'TimeoutError' && typeof readField(value, 'code') !== 'string';
}

/** Reads a property of a thrown value without calling a proxy's traps. Undefined if a getter throws. */
function readField(value: unknown, key: 'name' | 'code' | 'cause'): unknown {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return undefined;
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}
