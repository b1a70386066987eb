import { TracingConfigurationError, WithheldValue } from '../tracing.errors.js';
import type { SpanProcessor } from './sdk-types.js';

/** The span processors of the application. */
// It is an interface, because the type of all resolved options could not be declared without a name for this part of it.
export interface ResolvedSpanProcessors extends ReadonlyArray<SpanProcessor> {}

/** Resolves the span processors of the application. */
export function resolveSpanProcessors(given: readonly SpanProcessor[] | undefined): ResolvedSpanProcessors {
  if (given === undefined) return Object.freeze([]);
  if (!Array.isArray(given)) throw new TracingConfigurationError('spanProcessors', given, 'Give a list of processors.');
  const checked: unknown[] = given;
  for (const [index, processor] of checked.entries()) {
    if (isProcessor(processor)) continue;
    const fix = 'A span processor needs the methods onStart(), onEnd(), forceFlush() and shutdown().';
    throw new TracingConfigurationError(`spanProcessors[${index}]`, new WithheldValue(processor), fix);
  }
  return Object.freeze([...given]);
}

function isProcessor(value: unknown): value is SpanProcessor {
  if (typeof value !== 'object' || value === null) return false;
  return ['onStart', 'onEnd', 'forceFlush', 'shutdown'].every(
    (method) => typeof Reflect.get(value, method) === 'function',
  );
}
