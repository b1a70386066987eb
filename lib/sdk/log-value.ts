import { inspect } from 'node:util';
import { cutText } from '../core/cut-text.js';
import { errorType } from '../core/exception.js';
import { MAX_LOG_TEXT } from '../core/log-line.js';
import { hasWithheldDetails } from '../core/withheld-details.js';

/**
 * Returns a value as a log record has it: a text as it is, anything else as its JSON says. It is a copy, because the application may change
 * an object before the record is exported. An error of a database driver has only its type, since it quotes values. Never throws.
 */
export function logValue(message: unknown): unknown {
  if (typeof message === 'string') return cutText(message, MAX_LOG_TEXT);
  if (message instanceof Error) return cutText(typeIfWithheld(message) ?? message.message, MAX_LOG_TEXT);
  try {
    const json = JSON.stringify(message, (_key, value: unknown) => typeIfWithheld(value) ?? value);
    if (json === undefined) return cutText(inspect(message), MAX_LOG_TEXT);
    return json.length <= MAX_LOG_TEXT ? (JSON.parse(json) as unknown) : cutText(json, MAX_LOG_TEXT);
  } catch {
    return describe(message);
  }
}

/** Returns the type of an error whose details are withheld. Undefined for anything else. */
function typeIfWithheld(value: unknown): string | undefined {
  return value instanceof Error && hasWithheldDetails(value) ? errorType(value) : undefined;
}

/** Describes an object that has no JSON: one that contains itself, say. */
function describe(message: unknown): string {
  try {
    return cutText(inspect(message), MAX_LOG_TEXT);
  } catch {
    return '[object]';
  }
}
