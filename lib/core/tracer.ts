import {
  INVALID_SPAN_CONTEXT,
  trace,
  type Context,
  type Span,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { reportIgnored } from './diagnostics.js';
import { VERSION } from './version.js';

let provider: TracerProvider | undefined;
let tracer: Tracer;

/**
 * Starts a span. Where that fails, because a sampler or span processor of the application throws, the trace goes on
 * without it.
 */
export function startSpan(name: string, options: SpanOptions, parent: Context): Span {
  try {
    return currentTracer().startSpan(name, options, parent);
  } catch (error) {
    reportIgnored('Starting a span', error);
    return trace.wrapSpanContext(trace.getSpanContext(parent) ?? INVALID_SPAN_CONTEXT);
  }
}

/** The library's tracer from the provider that is registered now. */
function currentTracer(): Tracer {
  const registered = trace.getTracerProvider();
  if (registered !== provider) {
    provider = registered;
    tracer = registered.getTracer('nestjs-tracing', VERSION);
  }
  return tracer;
}

/** Has the next call ask for the tracer anew, because a provider was registered or is gone. */
export function forgetTracer(): void {
  provider = undefined;
}
