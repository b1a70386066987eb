import { types } from 'node:util';
import type { Attributes, Context } from '@opentelemetry/api';
import { ATTR_DB_RESPONSE_STATUS_CODE, ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { definedAttributes } from '../core/defined-attributes.js';
import { callSafely } from '../core/diagnostics.js';
import { errorType } from '../core/exception.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import { isObject } from '../core/is-object.js';
import { withoutOwnFrames } from '../core/own-frames.js';
import { withholdDetails } from '../core/withheld-details.js';
import type { DatabaseSystem } from './system.js';

/** The form of a code, of a database or of Node. Anything else may hold data. */
const CODE = /^[\w.-]{1,64}$/;

/**
 * Withholds the message of an error of a driver, on every span that the error passes through: it quotes values, as in
 * `Duplicate entry 'x'`. Called for each failed query, traced or not.
 *
 * @param caller the context of the query
 */
export function withholdDriverError(error: unknown, caller: Context): void {
  withholdDetails(error);
  IncomingOperation.in(caller)?.withholdMessageOf(error);
}

/**
 * Removes the frames of the library from the stack of an error that was created while the library was calling the driver. Only for such an error:
 * reading a stack may fix its text, and others may still change the message of an error that comes later. Never throws.
 */
export function hideOwnFrames(error: unknown): void {
  callSafely('Removing frames from a stack', () => {
    // The errors of better-sqlite3 are made without the constructor of `Error`.
    if (!types.isNativeError(error) && !(error instanceof Error)) return;
    const { stack } = error;
    if (typeof stack !== 'string') return;
    const frames = withoutOwnFrames(stack);
    if (frames !== stack) Reflect.set(error, 'stack', frames);
  });
}

/** Returns the attributes of a failed query: the code of the error, and never its message. Never throws. */
export function failureAttributes(error: unknown, { statusCodeOf }: DatabaseSystem): Attributes {
  const statusCode = isObject(error) ? readCode(() => statusCodeOf(error)) : undefined;
  return definedAttributes({
    [ATTR_DB_RESPONSE_STATUS_CODE]: statusCode,
    [ATTR_ERROR_TYPE]: statusCode ?? codeOf(error) ?? errorType(error),
  });
}

/** Returns the `code` of an error, such as `ECONNREFUSED`, or that of the driver's error in an error of Sequelize. */
function codeOf(error: unknown): string | undefined {
  if (!isObject(error)) return undefined;
  const failed = error as { code?: unknown; parent?: { code?: unknown } };
  return readCode(() => failed.code) ?? readCode(() => failed.parent?.code);
}

/** Returns a code, if it is one. The application may have put anything into the fields of an error, getters included. */
function readCode(read: () => unknown): string | undefined {
  try {
    const code = read();
    return typeof code === 'string' && CODE.test(code) ? code : undefined;
  } catch {
    return undefined;
  }
}
