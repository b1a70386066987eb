import type { Context } from '@opentelemetry/api';
import { isObservable, Observable } from 'rxjs';
import { callInContext } from '../core/context-manager.js';
import { isObject } from '../core/is-object.js';
import type { AnyMethod } from '../core/wrap-method.js';

/** The contexts of the messages by what their handlers have returned. */
const contexts = new WeakMap<object, Context>();

/** Keeps the context of a message for its answers. Returns the result of the handler. */
export function keepContext(result: unknown, context: Context | undefined): unknown {
  if (context && isObject(result)) contexts.set(result, context);
  return result;
}

/**
 * Makes an adapter send the answers to a message in the context of the message: whatever observes the sending is below the span of the
 * message then, and not a trace of its own.
 *
 * @param transform the function that Nest passes to an adapter, which turns the result of a handler into an Observable of the answers
 */
export function answerInContext(transform: unknown): unknown {
  if (typeof transform !== 'function') return transform;
  return new Proxy(transform as AnyMethod, {
    apply(target, thisArg, args) {
      const answers: unknown = Reflect.apply(target, thisArg, args);
      const [result] = args as unknown[];
      const context = isObject(result) ? contexts.get(result) : undefined;
      return context && isObservable(answers) ? emitInContext(answers, context) : answers;
    },
  });
}

function emitInContext(answers: Observable<unknown>, context: Context): Observable<unknown> {
  return new Observable((subscriber) =>
    answers.subscribe({
      next: (answer) => callInContext(context, () => subscriber.next(answer), undefined, []),
      error: (thrown: unknown) => subscriber.error(thrown),
      complete: () => subscriber.complete(),
    }),
  );
}
