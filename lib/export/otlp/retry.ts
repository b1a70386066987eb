import type { IncomingHttpHeaders } from 'node:http';

/** Wait before the second attempt, in milliseconds. It grows by `FACTOR` with each further attempt, up to `MAX_WAIT`. */
const FIRST_WAIT = 1000;
const FACTOR = 1.5;
const MAX_WAIT = 3500;
/** Each wait is longer or shorter by up to this part, so that many services do not come back at the same moment. */
const JITTER = 0.2;

/** Status codes after which the specification of OTLP wants another attempt. */
const RETRYABLE = new Set([429, 502, 503, 504]);

export function isRetryable(status: number): boolean {
  return RETRYABLE.has(status);
}

/** Returns the wait before an attempt, in milliseconds. The first attempt has number 0. */
export function backoff(attempt: number, random = Math.random()): number {
  const wait = Math.min(FIRST_WAIT * FACTOR ** Math.max(0, attempt - 1), MAX_WAIT);
  return wait * (1 + JITTER * (2 * random - 1));
}

/** Returns the wait that a receiver asks for, in milliseconds: `Retry-After` has seconds, or a date. Undefined if it asks for none. */
export function retryAfter({ 'retry-after': value }: IncomingHttpHeaders, now = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
