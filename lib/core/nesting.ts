import { warn } from './diagnostics.js';
import { isOff } from './tracer.js';
import type { AnyMethod } from './wrap-method.js';

/** How many calls of decorated methods the current chain of synchronous calls is inside. */
export const nesting = { depth: 0 };

/** Traced calls that may be nested in one synchronous chain: each takes room on the stack, of which recursions need all. */
export const MAX_NESTING = 250;

/** Calls a method that is not traced itself, but whose wrapper takes room on the stack all the same. */
export function callNested(method: AnyMethod, thisArg: unknown, args: readonly unknown[]): unknown {
  nesting.depth++;
  try {
    return Reflect.apply(method, thisArg, args);
  } finally {
    nesting.depth--;
  }
}

/**
 * Calls a method without the wrapper that a decorator has put around it. The wrapper is taken off the class until the call is
 * over, so that a method that calls itself gets as deep as it would without a decorator.
 */
export function callUnwrapped(
  owner: object,
  key: string | symbol,
  wrapper: AnyMethod,
  method: AnyMethod,
  thisArg: unknown,
  args: readonly unknown[],
): unknown {
  if (!isOff()) warnOfNesting();
  const descriptor = Object.getOwnPropertyDescriptor(owner, key);
  const wrapped = descriptor?.value === wrapper ? descriptor : undefined;
  const removed = wrapped && Reflect.defineProperty(owner, key, { ...wrapped, value: method });
  try {
    return Reflect.apply(method, thisArg, args);
  } finally {
    if (removed) Reflect.defineProperty(owner, key, wrapped);
  }
}

export function warnOfNesting(): void {
  const fix = 'Trace the method that begins the recursion, rather than each of its steps.';
  warn(
    'nesting',
    `More than ${MAX_NESTING} traced calls are nested in one another: those further in are not traced. ${fix}`,
  );
}
