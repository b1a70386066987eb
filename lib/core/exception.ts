import { types } from 'node:util';
import type { Attributes } from '@opentelemetry/api';
import {
  ATTR_EXCEPTION_MESSAGE,
  ATTR_EXCEPTION_STACKTRACE,
  ATTR_EXCEPTION_TYPE,
} from '@opentelemetry/semantic-conventions';
import { copyText, cutText } from './cut-text.js';
import { describeError } from './diagnostics.js';
import { withoutOwnFrames } from './own-frames.js';
import { withoutQuotedInput } from './quoted-input.js';
import { hasWithheldDetails } from './withheld-details.js';

/** The number of causes in a stack trace. */
const MAX_CAUSES = 5;
/** The number of characters of a type, which is also a label of metrics. */
const MAX_TYPE = 256;
/** The number of characters of a message: the SDK cuts attributes, but not the message of a status. */
const MAX_MESSAGE = 8192;
/** The number of characters of the message at the head of a stack. The whole message has an attribute of its own, and the stack needs room for frames. */
const MAX_HEAD = 2048;
/** The number of characters of a stack trace with its causes. */
const MAX_STACKTRACE = 32_768;

const CAUSED_BY = '\nCaused by: ';

/** Returns the `error.type` of any thrown value: the class of an error, else the type of the value. Never throws. */
export function errorType(thrown: unknown): string {
  try {
    if (thrown === null) return 'null';
    if (typeof thrown !== 'object') return typeof thrown;
    const name = isErrorInstance(thrown) && thrown.name !== 'Error' ? thrown.name : thrown.constructor?.name;
    return typeof name === 'string' && name !== '' ? cutText(name, MAX_TYPE) : 'object';
  } catch {
    return '_OTHER';
  }
}

/**
 * Returns the message of any thrown value. The fields of an object without a message are not recorded: the library cannot know which of
 * them are secret. Undefined if the details are withheld. Never throws.
 */
export function errorMessage(thrown: unknown): string | undefined {
  if (hasWithheldDetails(thrown)) return undefined;
  const message = readOrUndefined(() =>
    typeof thrown === 'object' && thrown !== null && 'message' in thrown ? thrown.message : undefined,
  );
  return copyText(recordableMessage(typeof message === 'string' ? message : describeError(thrown)));
}

/**
 * Returns the attributes of an `exception` event. They are copies, so that the thrown value is neither kept nor changed. If the details of
 * the exception or of a cause are withheld, they have only its type.
 */
export function exceptionAttributes(thrown: unknown): Attributes {
  const attributes: Attributes = { [ATTR_EXCEPTION_TYPE]: errorType(thrown) };
  if (hasWithheldDetails(thrown)) return attributes;
  attributes[ATTR_EXCEPTION_MESSAGE] = errorMessage(thrown);
  const stacktrace = stackWithCauses(thrown);
  if (stacktrace !== '') attributes[ATTR_EXCEPTION_STACKTRACE] = copyText(stacktrace);
  return attributes;
}

/** Returns the stack of an error and of its causes. Each is cut before it is added: together they may be very long. */
function stackWithCauses(thrown: unknown): string {
  // The chain of causes may have a cycle.
  const seen = new Set<Error>();
  let text = '';
  for (
    let error = thrown;
    isErrorInstance(error) && !seen.has(error) && seen.size <= MAX_CAUSES;
    error = causeOf(error)
  ) {
    if (seen.size > 0) text += CAUSED_BY;
    if (text.length >= MAX_STACKTRACE) break;
    text += recordableStack(error, MAX_STACKTRACE - text.length);
    seen.add(error);
  }
  return cutText(text, MAX_STACKTRACE);
}

function recordableStack(error: Error, room: number): string {
  if (hasWithheldDetails(error)) return errorType(error);
  const stack = readOrUndefined(() => error.stack);
  if (typeof stack !== 'string') return recordableMessage(describeError(error), MAX_HEAD);
  const start = startOfFrames(stack, error);
  return recordableMessage(stack.slice(0, start), MAX_HEAD) + withoutOwnFrames(stack.slice(start, start + room));
}

/** Returns the index of the first frame. Frames follow the message, which may itself contain lines that look like frames. */
function startOfFrames(stack: string, error: Error): number {
  const message = readOrUndefined(() => error.message);
  let from = 0;
  if (typeof message === 'string' && message !== '') {
    // V8 writes `${name}: ${message}`, or the message alone if the name is empty.
    const afterName = stack.slice(0, MAX_TYPE).indexOf(': ') + 2;
    const start = [afterName, 0].find((index) => stack.startsWith(message, index));
    // If the application has changed the message since the error was created, the stack still has the old one.
    if (start !== undefined) from = start + message.length;
  }
  const frames = stack.indexOf('\n    at ', from);
  return frames === -1 ? stack.length : frames;
}

/** Cuts a message, and removes what it quotes of a request. */
function recordableMessage(message: string, limit = MAX_MESSAGE): string {
  return withoutQuotedInput(cutText(message, limit));
}

function causeOf(error: Error): unknown {
  if (hasWithheldDetails(error)) return undefined;
  return readOrUndefined(() => error.cause);
}

/** True for an error, also for one of another realm, which is not an instance of this realm's `Error`. */
function isErrorInstance(value: unknown): value is Error {
  return types.isNativeError(value) || (readOrUndefined(() => value instanceof Error) ?? false);
}

/** Returns the result of a getter or a proxy. Undefined if it throws. */
function readOrUndefined<T>(get: () => T): T | undefined {
  try {
    return get();
  } catch {
    return undefined;
  }
}
