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
