import type { SpanContext } from '@opentelemetry/api';

/**
 * Returns a span context of the application with a trace state that exporters can serialize: they would lose a whole batch. It is a copy if
 * need be, because the context is an object of the application.
 */
export function withSerializableState(context: SpanContext): SpanContext {
  const { traceState } = context;
  if (traceState === undefined || typeof traceState?.serialize === 'function') return context;
  return { ...context, traceState: undefined };
}
