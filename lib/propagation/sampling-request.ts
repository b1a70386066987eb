import { createContextKey, SpanKind, type Context } from '@opentelemetry/api';

/** The sampling decision of a caller that has sent no trace: b3 can carry it without ids. */
export interface SamplingRequest {
  readonly sampled: boolean;
  readonly debug: boolean;
}

const SAMPLING_REQUEST = createContextKey('nestjs-tracing sampling request');

/** Returns a context in which a new trace follows the sampling request of its caller. */
export function withSamplingRequest(context: Context, request: SamplingRequest): Context {
  return context.setValue(SAMPLING_REQUEST, request);
}

/** Returns the sampling request for a new trace in this context, if any. */
export function samplingRequestIn(context: Context): SamplingRequest | undefined {
  return context.getValue(SAMPLING_REQUEST) as SamplingRequest | undefined;
}

/**
 * Returns the sampling request for a new trace that begins with a span of this kind, if any. The request is about the trace of the operation
 * that is served, not about other traces that begin within it.
 */
export function samplingRequestFor(kind: SpanKind | undefined, context: Context): SamplingRequest | undefined {
  return kind === SpanKind.SERVER || kind === SpanKind.CONSUMER ? samplingRequestIn(context) : undefined;
}
