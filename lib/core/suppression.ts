import { createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';

// The key of the SDK: context keys are global by their description, so the SDK, its exporters and other instrumentations obey it.
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/** Returns a context in which nothing is traced and no trace context is injected. */
export function suppressTracing(context: Context): Context {
  return context.setValue(SUPPRESS_TRACING, true);
}

let outside: Context | undefined;

/**
 * Returns the context that belongs to no request, and in which nothing is traced: for the library's own work, and for connections, which
 * outlive the request that opens them.
 */
export function outsideOfRequests(): Context {
  return (outside ??= suppressTracing(ROOT_CONTEXT));
}

/** True if nothing is traced in this context. */
export function isTracingSuppressed(context: Context): boolean {
  return context.getValue(SUPPRESS_TRACING) === true;
}

// The symbol is a registered one, so that another copy of the library obeys it as well, which does not share the contexts of this copy.
const UNTRACED = Symbol.for('nestjs-tracing:untraced');

/** Marks the agent of an exporter: none of its requests is ever traced, not even a retry outside of the suppressed context. */
export function markUntraced(agent: object): void {
  Object.defineProperty(agent, UNTRACED, { value: true });
}

/** True if the requests of an agent are never traced. */
export function isUntraced(agent: unknown): boolean {
  return typeof agent === 'object' && agent !== null && UNTRACED in agent;
}
