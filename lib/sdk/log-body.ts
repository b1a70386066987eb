import { inspect } from 'node:util';
import { cutText } from '../core/cut-text.js';

/** The characters of a body: the queue holds thousands of records. */
const MAX_LENGTH = 64 * 1024;

/**
 * Returns what a log record has as its body: a text as it is, anything else as its JSON says. It is a copy, because the application may change
 * an object before the record is exported. Never throws.
 */
export function logBody(message: unknown): unknown {
  if (typeof message === 'string') return cutText(message, MAX_LENGTH);
  if (message instanceof Error) return cutText(message.message, MAX_LENGTH);
  try {
    const json = JSON.stringify(message);
    if (json === undefined) return cutText(inspect(message), MAX_LENGTH);
    return json.length <= MAX_LENGTH ? (JSON.parse(json) as unknown) : cutText(json, MAX_LENGTH);
  } catch {
    return describe(message);
  }
}

/** Describes an object that has no JSON: one that contains itself, say. */
function describe(message: unknown): string {
  try {
    return cutText(inspect(message), MAX_LENGTH);
  } catch {
    return '[object]';
  }
}
