/**
 * Prisma's contract with its instrumentation (`@prisma/instrumentation-contract` 7): a global object with a helper. The package itself is
 * never imported.
 */
import type { Context } from '@opentelemetry/api';

/** Called with the span and its context, if there is one. */
export type SpanCallback = (span?: unknown, context?: Context) => unknown;

export interface SpanOptions {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** What Prisma asks of its instrumentation. */
export interface TracingHelper {
  isEnabled(): boolean;
  /** The trace context for an engine in another process. */
  getTraceParent(): string;
  getActiveContext(): Context | undefined;
  /** Reports the spans of an engine in another process. Each of the events has to be emitted. */
  dispatchEngineSpans(spans: unknown, events: readonly unknown[], emitLogEvent: (event: unknown) => void): void;
  runInChildSpan(nameOrOptions: string | SpanOptions, callback: SpanCallback): unknown;
}

/** The names under which Prisma looks for the helper, the one with its version first. */
const GLOBAL_NAMES = ['V7_PRISMA_INSTRUMENTATION', 'PRISMA_INSTRUMENTATION'] as const;

/**
 * Sets the helper of Prisma, unless another instrumentation has set its own.
 *
 * @returns a function that removes the helper
 */
export function setTracingHelper(helper: TracingHelper): () => void {
  const holder = globalThis as Record<string, unknown>;
  if (GLOBAL_NAMES.some((name) => holder[name] !== undefined)) return () => {};
  const value = { helper };
  for (const name of GLOBAL_NAMES) holder[name] = value;
  return () => {
    for (const name of GLOBAL_NAMES) if (holder[name] === value) Reflect.deleteProperty(holder, name);
  };
}
