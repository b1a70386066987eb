import type { Attributes, Exception } from '@opentelemetry/api';
import {
  ATTR_EXCEPTION_MESSAGE,
  ATTR_EXCEPTION_STACKTRACE,
  ATTR_EXCEPTION_TYPE,
} from '@opentelemetry/semantic-conventions';
import { exceptionAttributes as recordableAttributes, quotesValues, withoutMessagesOf } from '../core/exception.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import { withoutQuotedValues } from '../core/quoted-values.js';

/**
 * Returns the attributes of an exception, as the SDK names them. Undefined if the exception has neither a type nor a message. What is withheld of an
 * exception, as of an error of a database driver, is withheld here as well.
 */
export function exceptionAttributes(exception: Exception | undefined): Attributes | undefined {
  if (typeof exception === 'string')
    return exception ? { [ATTR_EXCEPTION_MESSAGE]: withoutQuotedErrors(exception) } : undefined;
  if (!exception) return undefined;
  const { code, message, name, stack } = exception;
  const type = code ? String(code) : name;
  if (!type && !message) return undefined;
  const named = { ...(type && { [ATTR_EXCEPTION_TYPE]: type }) };
  const attributes = {
    ...named,
    ...(message && { [ATTR_EXCEPTION_MESSAGE]: message }),
    ...(stack && { [ATTR_EXCEPTION_STACKTRACE]: stack }),
  };
  const withheld = IncomingOperation.active()?.withheldErrors;
  return quotesValues(exception, withheld)
    ? Object.assign(recordableAttributes(exception, withheld), named)
    : attributes;
}

/** Removes from a text what it repeats of the errors that are withheld while the current exchange is served, and what it quotes of a query. */
export function withoutQuotedErrors(text: string): string {
  return withoutQuotedValues(withoutMessagesOf(IncomingOperation.active()?.withheldErrors ?? [], text));
}
