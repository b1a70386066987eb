import { types } from 'node:util';
import type { Context } from '@opentelemetry/api';
import { activeContext, callInContext } from '../core/context-manager.js';
import { interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import { laterErrors, laterParts } from './channel-messages.js';
import type { OperationError } from './errors.js';

interface LaterListener {
  /** The context of the execution, in which the later parts are resolved. Undefined for that of the server. */
  readonly context: Context | undefined;
  onErrors(errors: readonly OperationError[]): void;
  /** Called once, when the last part was delivered, or the server asks for no more. */
  onEnd(): void;
}

/**
 * Follows the parts of a result that are delivered later, by `@defer` or `@stream`, as the server asks for them. Returns false if there are
 * none, or if they cannot be followed: the result is complete then.
 */
export function followLaterParts(result: unknown, listener: LaterListener): boolean {
  const parts = laterParts(result);
  if (!parts) return false;
  let isOver = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    listener.onEnd();
  };
  const receive = (given: unknown) => {
    const { done, value } = (isObject(given) ? given : {}) as { done?: boolean; value?: unknown };
    const errors = isObject(value) ? laterErrors(value) : [];
    if (errors.length > 0 && !isOver) listener.onErrors(errors);
    if (done === true) end();
  };
  for (const method of ['return', 'throw']) interceptMethod(parts, method, observe(end));
  return interceptMethod(parts, 'next', observe(receive)) !== undefined;

  /** Calls a function with each result of a method, before the server gets it. */
  function observe(use: (result: unknown) => void): Parameters<typeof interceptMethod>[2] {
    return (method, thisArg, args) => {
      const { context } = listener;
      const promise: unknown = callInContext(context ?? activeContext(), method, thisArg, args);
      // The server awaits the promise, so a rejection is its own.
      if (types.isPromise(promise)) void promise.then(use, end);
      return promise;
    };
  }
}
