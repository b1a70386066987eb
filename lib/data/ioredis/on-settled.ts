import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';

/**
 * Calls a function after a command or a pipeline has settled its promise, by its own method `resolve()` or `reject()`. A listener on the
 * promise would handle its rejection.
 */
export function onSettled(target: object, method: 'resolve' | 'reject', listener: (value: unknown) => void): void {
  interceptMethod(target, method, (original, thisArg, args) => {
    const result = Reflect.apply(original, thisArg, args);
    callSafely('Ending a span of ioredis', () => listener(args[0]));
    return result;
  });
}
