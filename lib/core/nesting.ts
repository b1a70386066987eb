import { warn } from './diagnostics.js';
import { isTracingOff } from './tracer.js';
import type { AnyMethod } from './wrap-method.js';

/** The number of calls of decorated methods that the current synchronous call is nested in. */
export const nesting = { depth: 0 };

/** The number of traced calls that may be nested synchronously: each takes room on the stack, which a recursion may need. */
export const MAX_NESTING = 250;

/** Calls a decorated method without tracing it. The call still counts, since the wrapper takes room on the stack. */
export function callNested(method: AnyMethod, thisArg: unknown, args: readonly unknown[]): unknown {
  nesting.depth++;
  try {
    return Reflect.apply(method, thisArg, args);
  } finally {
    nesting.depth--;
  }
}

/**
 * Calls a method without the wrapper of its decorator. The wrapper is removed from the class until the call has returned, so that a
 * recursive method can recurse as deep as it could without the decorator.
 */
export function callUnwrapped(
  owner: object,
  key: string | symbol,
  wrapper: AnyMethod,
  method: AnyMethod,
  thisArg: unknown,
  args: readonly unknown[],
): unknown {
  if (!isTracingOff()) warnOfNesting();
  const descriptor = Object.getOwnPropertyDescriptor(owner, key);
  const wrapped = descriptor?.value === wrapper ? descriptor : undefined;
  const isRemoved = wrapped && Reflect.defineProperty(owner, key, { ...wrapped, value: method });
  try {
    return Reflect.apply(method, thisArg, args);
  } finally {
    if (isRemoved) Reflect.defineProperty(owner, key, wrapped);
  }
}

/** Warns that calls are nested too deep to be traced. */
export function warnOfNesting(): void {
  const fix = 'Trace the method that begins the recursion, rather than each of its steps.';
  warn(
    'nesting',
    `More than ${MAX_NESTING} traced calls are nested in one another: those further in are not traced. ${fix}`,
  );
}
