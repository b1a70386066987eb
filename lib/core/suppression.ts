import { createContextKey, type Context } from '@opentelemetry/api';

// The SDK's own key: context keys are global by their text, so the SDK, its exporters and other instrumentations obey it.
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/** A context in which nothing is traced and no trace context leaves. */
export function suppressTracing(context: Context): Context {
  return context.setValue(SUPPRESS_TRACING, true);
}

/** Whether nothing is to be traced in this context. */
export function isTracingSuppressed(context: Context): boolean {
  return context.getValue(SUPPRESS_TRACING) === true;
}

// By name, so that another copy of the library sees it, and obeys where contexts of the one mean nothing to the other.
const UNTRACED = Symbol.for('nestjs-tracing:untraced');

/** Marks the agent of an exporter, none of whose requests is ever to be traced: also an attempt that comes late. */
export function markUntraced(agent: object): void {
  Object.defineProperty(agent, UNTRACED, { value: true });
}

/** Whether the requests of this agent are never traced. */
export function isUntraced(agent: unknown): boolean {
  return typeof agent === 'object' && agent !== null && UNTRACED in agent;
}
