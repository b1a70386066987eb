import 'reflect-metadata';
import type { Span } from '@opentelemetry/api';

// The key is a string rather than a symbol of this module, so that two copies of the library in one process share it.
const CURRENT_SPAN = 'nestjs-tracing:current-span';

/** Marks a parameter of a method that receives the span which the method runs in. */
export function addCurrentSpanParameter(target: object, key: string | symbol, index: number): void {
  const positions = (Reflect.getOwnMetadata(CURRENT_SPAN, target, key) as number[] | undefined) ?? [];
  Reflect.defineMetadata(CURRENT_SPAN, [index, ...positions], target, key);
}

/** Returns the positions of the marked parameters of a method, also of an inherited one. */
export function currentSpanParameters(target: object, key: string | symbol): readonly number[] {
  return (Reflect.getMetadata(CURRENT_SPAN, target, key) as number[] | undefined) ?? [];
}

/** Returns the arguments with the span in these positions. */
export function withCurrentSpan(
  args: readonly unknown[],
  positions: readonly number[],
  span: Span | undefined,
): readonly unknown[] {
  if (positions.length === 0) return args;
  const filled = [...args];
  for (const index of positions) filled[index] = span;
  return filled;
}
