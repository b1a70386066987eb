import { types } from 'node:util';
import type { Attributes } from '@opentelemetry/api';
import {
  ATTR_EXCEPTION_MESSAGE,
  ATTR_EXCEPTION_STACKTRACE,
  ATTR_EXCEPTION_TYPE,
} from '@opentelemetry/semantic-conventions';
import { describeError } from './diagnostics.js';
import { isWithheld } from './withheld.js';

/** Causes that are written out below the error they led to. */
const MAX_CAUSES = 5;
/** Characters of a message: the SDK cuts attributes, but not the message of a status. */
const MAX_MESSAGE = 8192;
/** Characters of a stack trace with its causes. */
const MAX_STACKTRACE = 32_768;

/** `error.type` of anything that was thrown: the class of an error, else the kind of value. Never throws. */
export function errorType(thrown: unknown): string {
  try {
    if (thrown === null) return 'null';
    if (typeof thrown !== 'object') return typeof thrown;
    const name = isError(thrown) && thrown.name !== 'Error' ? thrown.name : thrown.constructor?.name;
    return typeof name === 'string' && name !== '' ? name : 'object';
  } catch {
    return '_OTHER';
  }
}

/**
 * The message of anything that was thrown. An object without a message is not written out: nobody has said which of its
 * fields may be seen. Undefined if the details are withheld. Never throws.
 */
export function errorMessage(thrown: unknown): string | undefined {
  if (isWithheld(thrown)) return undefined;
  const message = read(() =>
    typeof thrown === 'object' && thrown !== null && 'message' in thrown ? thrown.message : undefined,
  );
  return typeof message === 'string' ? message.slice(0, MAX_MESSAGE) : describeError(thrown);
}

/**
 * The attributes of an `exception` event: a copy, so that nothing the application threw is kept or changed. Of an exception
 * or a cause whose details are withheld, only the type is in them.
 */
export function exceptionAttributes(thrown: unknown): Attributes {
  const attributes: Attributes = { [ATTR_EXCEPTION_TYPE]: errorType(thrown) };
  if (isWithheld(thrown)) return attributes;
  attributes[ATTR_EXCEPTION_MESSAGE] = errorMessage(thrown);
  const stacktrace = stackWithCauses(thrown);
  if (stacktrace !== '') attributes[ATTR_EXCEPTION_STACKTRACE] = stacktrace.slice(0, MAX_STACKTRACE);
  return attributes;
}

function stackWithCauses(thrown: unknown): string {
  // A cause may lead back to its effect.
  const errors = new Set<Error>();
  for (let error = thrown; isError(error) && errors.size <= MAX_CAUSES; error = causeOf(error)) {
    if (errors.has(error)) break;
    errors.add(error);
  }
  return [...errors].map(stackOf).join('\nCaused by: ');
}

function stackOf(error: Error): string {
  if (isWithheld(error)) return errorType(error);
  const stack = read(() => error.stack);
  return typeof stack === 'string' ? stack : describeError(error);
}

function causeOf(error: Error): unknown {
  if (isWithheld(error)) return undefined;
  return read(() => error.cause);
}

/** Errors of another realm are no instances of this one's class. */
function isError(value: unknown): value is Error {
  return types.isNativeError(value) || (read(() => value instanceof Error) ?? false);
}

/** What a getter or a proxy answers, if it does not throw. */
function read<T>(get: () => T): T | undefined {
  try {
    return get();
  } catch {
    return undefined;
  }
}
