import { types } from 'node:util';
import { errorType } from '../core/exception.js';
import { isReadable, readWithoutGetter } from '../core/readable.js';
import { hasWithheldDetails } from '../core/withheld-details.js';
import type { LineContent } from './read-line.js';

/** The attributes that have nothing but the details of an error. */
const DETAILS = ['exception.message', 'exception.stacktrace', 'stack', 'cause'];

/**
 * Leaves only the type of the errors whose details are withheld, those of database drivers say: they quote values, and the line of a logger
 * has their messages and fields already.
 *
 * @param given what the application has given to the logger: errors, and objects with errors as fields
 */
export function withholdErrors(content: LineContent, given: readonly unknown[]): LineContent {
  const withheld = new Map<string, Error | undefined>();
  const errors = new Set<Error>();
  for (const value of given) collect(value, errors, withheld);
  if (errors.size === 0) return content;
  for (const name of DETAILS) withheld.set(name, undefined);
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(content.attributes)) {
    const error = withheld.get(name);
    if (error) attributes[name] = errorType(error);
    else if (!withheld.has(name)) attributes[name] = withTypes(value, errors);
  }
  return { ...content, body: withTypes(content.body, errors), attributes };
}

/** Finds the errors in a value, and the fields of the line that have an error, or have come out of one. */
function collect(value: unknown, errors: Set<Error>, fields: Map<string, Error | undefined>): void {
  if (!isReadable(value)) return;
  const isError = isWithheld(value);
  if (isError) errors.add(value);
  for (const name of Object.keys(value)) {
    const field = readWithoutGetter(value, name);
    if (isWithheld(field)) {
      errors.add(field);
      fields.set(name, field);
    } else if (isError) fields.set(name, undefined);
  }
}

function isWithheld(value: unknown): value is Error {
  return types.isNativeError(value) && hasWithheldDetails(value);
}

function withTypes(value: unknown, errors: ReadonlySet<Error>): unknown {
  if (typeof value !== 'string') return value;
  let text = value;
  for (const error of errors) if (error.message !== '') text = text.replaceAll(error.message, errorType(error));
  return text;
}
