import type { Attributes, Exception } from '@opentelemetry/api';
import {
  ATTR_EXCEPTION_MESSAGE,
  ATTR_EXCEPTION_STACKTRACE,
  ATTR_EXCEPTION_TYPE,
} from '@opentelemetry/semantic-conventions';

/** Returns the attributes of an exception, as the SDK names them. Undefined if the exception has neither a type nor a message. */
export function exceptionAttributes(exception: Exception | undefined): Attributes | undefined {
  if (typeof exception === 'string') return exception ? { [ATTR_EXCEPTION_MESSAGE]: exception } : undefined;
  if (!exception) return undefined;
  const { code, message, name, stack } = exception;
  const type = code ? String(code) : name;
  if (!type && !message) return undefined;
  return {
    ...(type && { [ATTR_EXCEPTION_TYPE]: type }),
    ...(message && { [ATTR_EXCEPTION_MESSAGE]: message }),
    ...(stack && { [ATTR_EXCEPTION_STACKTRACE]: stack }),
  };
}
