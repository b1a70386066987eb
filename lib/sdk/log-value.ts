import { inspect } from 'node:util';
import { cutText } from '../core/cut-text.js';
import { errorType, quotesValues, withoutMessagesOf } from '../core/exception.js';
import { MAX_LOG_TEXT } from '../core/log-line.js';
import { withoutQuotedValues } from '../core/quoted-values.js';
import { hasWithheldDetails } from '../core/withheld-details.js';

/**
 * Returns a value as a log record has it: a text as it is, anything else as its JSON says. It is a copy, because the application may change
 * an object before the record is exported. An error of a database driver has only its type, since it quotes values. Never throws.
 *
 * @param withheld errors whose messages are replaced by their types, wherever the application repeats them
 */
export function logValue(message: unknown, withheld: readonly unknown[] = []): unknown {
  const logText = (text: string) => withoutQuotedValues(cutText(withoutMessagesOf(withheld, text), MAX_LOG_TEXT));
  if (typeof message === 'string') return logText(message);
  if (message instanceof Error)
    return hasWithheldDetails(message) ? errorType(message) : logText(String(message.message));
  try {
    const json = JSON.stringify(message, (_key, value: unknown) => {
      if (typeof value === 'string') return logText(value);
      if (!(value instanceof Error)) return value;
      // The fields of an error that quotes values have them as well.
      return quotesValues(value, withheld) ? errorType(value) : value;
    });
    if (json === undefined) return logText(inspect(message));
    return json.length <= MAX_LOG_TEXT ? (JSON.parse(json) as unknown) : cutText(json, MAX_LOG_TEXT);
  } catch {
    return logText(describe(message));
  }
}

/** Describes an object that has no JSON: one that contains itself, say. */
function describe(message: unknown): string {
  try {
    return inspect(message);
  } catch {
    return '[object]';
  }
}
