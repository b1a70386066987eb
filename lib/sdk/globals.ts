import {
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  trace,
  type TextMapPropagator,
  type TracerProvider,
} from '@opentelemetry/api';
import { registerOwnContextManager } from '../core/context-manager.js';
import { clearTracerCache } from '../core/tracer.js';

const PROBE = createContextKey('nestjs-tracing probe');

/** Returns the tracer provider that is registered with OpenTelemetry's API. Undefined if there is none. */
export function registeredProvider(): TracerProvider | undefined {
  const provider = trace.getTracerProvider();
  if (!('getDelegateTracer' in provider)) return provider;
  // The proxy of the API, which hands out tracers of a delegate once it has one.
  const proxy = provider as unknown as { getDelegateTracer(name: string): unknown; getDelegate(): TracerProvider };
  return proxy.getDelegateTracer('nestjs-tracing') === undefined ? undefined : proxy.getDelegate();
}

/** Registers a tracer provider in place of the registered one. */
export function registerProvider(provider: TracerProvider): void {
  unregisterProvider();
  trace.setGlobalTracerProvider(provider);
}

export function unregisterProvider(): void {
  // `disable()` would also remove a provider that another version of the API has registered, which this one cannot see.
  if (registeredProvider()) trace.disable();
  clearTracerCache();
}

/** Registers the context manager of the library, unless another one is registered. Returns a function that undoes it. */
export function registerContextManager(): () => void {
  const present = context.with(ROOT_CONTEXT.setValue(PROBE, true), () => context.active().getValue(PROBE) === true);
  if (present || !registerOwnContextManager()) return () => {};
  return () => context.disable();
}

/** Registers a propagator, unless another one is registered. Returns a function that undoes it. */
export function registerPropagator(propagator: TextMapPropagator): () => void {
  if (propagation.fields().length > 0 || !propagation.setGlobalPropagator(propagator)) return () => {};
  return () => propagation.disable();
}
