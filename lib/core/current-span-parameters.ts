import 'reflect-metadata';
import type { Span } from '@opentelemetry/api';

// A text, not a symbol of this module: two copies of the library in one process must understand each other.
const CURRENT_SPAN = 'nestjs-tracing:current-span';

/** Notes that a parameter of a method is to be the span that the method runs in. */
export function addCurrentSpanParameter(target: object, key: string | symbol, index: number): void {
  const known = (Reflect.getOwnMetadata(CURRENT_SPAN, target, key) as number[] | undefined) ?? [];
  Reflect.defineMetadata(CURRENT_SPAN, [index, ...known], target, key);
}

/** The positions of such parameters, also of a method that is inherited. */
export function currentSpanParameters(target: object, key: string | symbol): readonly number[] {
  return (Reflect.getMetadata(CURRENT_SPAN, target, key) as number[] | undefined) ?? [];
}

/** The arguments with the span in these positions. */
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
