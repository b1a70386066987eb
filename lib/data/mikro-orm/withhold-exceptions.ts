import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { hasWithheldDetails, withholdDetails } from '../../core/withheld-details.js';
import { hideOwnFrames } from '../failure.js';
import type { MikroOrm } from './mikro-orm.js';

/**
 * Withholds the details of the exceptions of an ORM, which it makes of errors of the driver: they have the message of the driver, and do not
 * reference its error.
 *
 * @returns a function that undoes it
 */
export function withholdExceptions({ em }: MikroOrm): (() => void) | undefined {
  const converter = callSafely('Tracing MikroORM', () => em.getPlatform?.().getExceptionConverter?.());
  if (!isObject(converter)) return undefined;
  return interceptMethod(converter, 'convertException', (convert, thisArg, args) => {
    const exception: unknown = Reflect.apply(convert, thisArg, args);
    hideOwnFrames(exception);
    if (isObject(exception) && hasWithheldDetails(args[0])) withholdDetails(exception);
    return exception;
  });
}
