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
import { isWithheld } from './withheld.js';

/** Causes that are written out below the error they led to. */
const MAX_CAUSES = 5;
/** Characters of a type, which also becomes a label of metrics. */
const MAX_TYPE = 256;
/** Characters of a message: the SDK cuts attributes, but not the message of a status. */
const MAX_MESSAGE = 8192;
/** Characters of a message at the head of a stack: it is recorded by itself as well, and the frames are to be seen below it. */
const MAX_HEAD = 2048;
/** Characters of a stack trace with its causes. */
const MAX_STACKTRACE = 32_768;

const CAUSED_BY = '\nCaused by: ';

/** `error.type` of anything that was thrown: the class of an error, else the kind of value. Never throws. */
export function errorType(thrown: unknown): string {
  try {
    if (thrown === null) return 'null';
    if (typeof thrown !== 'object') return typeof thrown;
    const name = isError(thrown) && thrown.name !== 'Error' ? thrown.name : thrown.constructor?.name;
    return typeof name === 'string' && name !== '' ? cutText(name, MAX_TYPE) : 'object';
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
  return copyText(messageText(typeof message === 'string' ? message : describeError(thrown)));
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
  if (stacktrace !== '') attributes[ATTR_EXCEPTION_STACKTRACE] = copyText(stacktrace);
  return attributes;
}

/** The stack of an error and of its causes. Each is cut before it is added: together they may be very long. */
function stackWithCauses(thrown: unknown): string {
  // A cause may lead back to its effect.
  const seen = new Set<Error>();
  let text = '';
  for (let error = thrown; isError(error) && !seen.has(error) && seen.size <= MAX_CAUSES; error = causeOf(error)) {
    if (seen.size > 0) text += CAUSED_BY;
    if (text.length >= MAX_STACKTRACE) break;
    text += stackOf(error, MAX_STACKTRACE - text.length);
    seen.add(error);
  }
  return cutText(text, MAX_STACKTRACE);
}

function stackOf(error: Error, room: number): string {
  if (isWithheld(error)) return errorType(error);
  const stack = read(() => error.stack);
  if (typeof stack !== 'string') return messageText(describeError(error), MAX_HEAD);
  const start = startOfFrames(stack, error);
  return messageText(stack.slice(0, start), MAX_HEAD) + withoutOwnFrames(stack.slice(start, start + room));
}

/** The frames stand behind the message, which may itself contain lines that look like frames. */
function startOfFrames(stack: string, error: Error): number {
  const message = read(() => error.message);
  let from = 0;
  if (typeof message === 'string' && message !== '') {
    // V8 writes `${name}: ${message}`, or the message alone where the name is empty.
    const afterName = stack.slice(0, MAX_TYPE).indexOf(': ') + 2;
    const start = [afterName, 0].find((it) => stack.startsWith(message, it));
    // Where the message was changed after the error was made, the stack has the old one.
    if (start !== undefined) from = start + message.length;
  }
  const frames = stack.indexOf('\n    at ', from);
  return frames === -1 ? stack.length : frames;
}

function messageText(message: string, limit = MAX_MESSAGE): string {
  return withoutQuotedInput(cutText(message, limit));
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
