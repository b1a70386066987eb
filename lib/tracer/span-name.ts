import { cutText } from '../core/cut-text.js';

/** The maximal length of the name of a span or an event. */
const MAX_NAME = 1024;

/** Returns a name that can be exported for any value. Never throws. */
export function toName(name: unknown): string {
  if (typeof name === 'string') return cutText(name, MAX_NAME);
  try {
    return cutText(String(name), MAX_NAME);
  } catch {
    return 'unknown';
  }
}
