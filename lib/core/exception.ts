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
import { withoutQuotedValues } from './quoted-values.js';
import { hasWithheldDetails } from './withheld-details.js';

/** The number of causes in a stack trace. */
const MAX_CAUSES = 5;
/** The number of characters of a type, which is also a label of metrics. */
const MAX_TYPE = 256;
/** The number of characters of a message: the SDK cuts attributes, but not the message of a status. */
const MAX_MESSAGE = 8192;
/** The number of characters of the message at the head of a stack. The whole message has an attribute of its own, and the stack needs room for frames. */
const MAX_HEAD = 2048;
/** The length from which the message of another error is sought in a text: a shorter one may be a part of any word. */
const MIN_REPEATED = 4;
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
 *
 * @param withheld errors whose messages the message may repeat, other than its causes. They are replaced by their types
 */
export function errorMessage(thrown: unknown, withheld: readonly unknown[] = []): string | undefined {
  if (hasWithheldDetails(thrown)) return undefined;
  return describeMessage(thrown, repeatableBy(thrown, withheld));
}

function describeMessage(thrown: unknown, repeatable: readonly unknown[]): string {
  const message = messageOf(thrown);
  return copyText(recordableMessage(message ?? describeError(thrown), repeatable));
}

/**
 * Returns the attributes of an `exception` event. They are copies, so that the thrown value is neither kept nor changed. If the details of
 * the exception or of a cause are withheld, they have only its type.
 *
 * @param withheld errors whose messages the exception may repeat, other than its causes. They are replaced by their types
 */
export function exceptionAttributes(thrown: unknown, withheld: readonly unknown[] = []): Attributes {
  const attributes: Attributes = { [ATTR_EXCEPTION_TYPE]: errorType(thrown) };
  if (hasWithheldDetails(thrown)) return attributes;
  const repeatable = repeatableBy(thrown, withheld);
  attributes[ATTR_EXCEPTION_MESSAGE] = describeMessage(thrown, repeatable);
  const stacktrace = stackWithCauses(thrown, repeatable);
  if (stacktrace !== '') attributes[ATTR_EXCEPTION_STACKTRACE] = copyText(stacktrace);
  return attributes;
}

/** True if there is something in an exception that `exceptionAttributes()` leaves out, other than by its length or of a request. */
export function quotesValues(thrown: unknown, withheld: readonly unknown[] = []): boolean {
  if (hasWithheldDetails(thrown)) return true;
  const message = messageOf(thrown) ?? '';
  return withoutQuotedValues(withoutMessagesOf(repeatableBy(thrown, withheld), message)) !== message;
}

/** Returns the errors whose messages must not be recorded, although an exception may repeat them: its causes are among them. */
function repeatableBy(thrown: unknown, withheld: readonly unknown[]): readonly unknown[] {
  const causes = withCauses(thrown).filter((error) => hasWithheldDetails(error));
  return causes.length === 0 ? withheld : [...withheld, ...causes];
}

/** Returns an error and its causes. Empty for anything else. */
function withCauses(thrown: unknown): readonly Error[] {
  // The chain of causes may have a cycle.
  const errors = new Set<Error>();
  for (
    let error = thrown;
    isErrorInstance(error) && !errors.has(error) && errors.size <= MAX_CAUSES;
    error = causeOf(error)
  )
    errors.add(error);
  return [...errors];
}

/** Returns the stack of an error and of its causes. Each is cut before it is added: together they may be very long. */
function stackWithCauses(thrown: unknown, repeatable: readonly unknown[]): string {
  let text = '';
  for (const [index, error] of withCauses(thrown).entries()) {
    if (index > 0) text += CAUSED_BY;
    if (text.length >= MAX_STACKTRACE) break;
    text += recordableStack(error, MAX_STACKTRACE - text.length, repeatable);
  }
  return cutText(text, MAX_STACKTRACE);
}

function recordableStack(error: Error, room: number, repeatable: readonly unknown[]): string {
  if (hasWithheldDetails(error)) return errorType(error);
  const stack = readOrUndefined(() => error.stack);
  if (typeof stack !== 'string') return recordableMessage(describeError(error), repeatable, MAX_HEAD);
  const start = startOfFrames(stack, error);
  const head = recordableMessage(stack.slice(0, start), repeatable, MAX_HEAD);
  return head + withoutOwnFrames(stack.slice(start, start + room));
}

/** Returns the index of the first frame. Frames follow the message, which may itself contain lines that look like frames. */
function startOfFrames(stack: string, error: Error): number {
  const message = messageOf(error);
  let from = 0;
  if (message !== undefined && message !== '') {
    // V8 writes `${name}: ${message}`, or the message alone if the name is empty.
    const afterName = stack.slice(0, MAX_TYPE).indexOf(': ') + 2;
    const start = [afterName, 0].find((index) => stack.startsWith(message, index));
    // If the application has changed the message since the error was created, the stack still has the old one.
    if (start !== undefined) from = start + message.length;
  }
  const frames = stack.indexOf('\n    at ', from);
  return frames === -1 ? stack.length : frames;
}

/** Cuts a message, and removes what it repeats of withheld errors, and what it quotes of a request or of a query. */
function recordableMessage(message: string, repeatable: readonly unknown[], limit = MAX_MESSAGE): string {
  const shown = withoutMessagesOf(repeatable, message);
  return withoutQuotedValues(withoutQuotedInput(cutText(shown, limit)));
}

/**
 * Replaces what a text repeats of errors by their types: applications create errors such as `new ConflictException(error.message)`. The message is
 * that which an error has now, since Knex adds the statement after the driver has reported the error.
 */
export function withoutMessagesOf(errors: readonly unknown[], text: string): string {
  let shown = text;
  for (const error of errors) {
    const message = messageOf(error);
    if (message === undefined || message.length < MIN_REPEATED || !shown.includes(message)) continue;
    shown = shown.replaceAll(message, () => errorType(error));
  }
  return shown;
}

/** Returns the message of a thrown value. Undefined if it has none. */
function messageOf(thrown: unknown): string | undefined {
  const message = readOrUndefined(() =>
    typeof thrown === 'object' && thrown !== null && 'message' in thrown ? thrown.message : undefined,
  );
  return typeof message === 'string' ? message : undefined;
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
