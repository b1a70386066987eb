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
import { forgetTracer } from '../core/tracer.js';

const PROBE = createContextKey('nestjs-tracing probe');

/** The tracer provider that is registered with the OpenTelemetry API, if any. */
export function registeredProvider(): TracerProvider | undefined {
  const provider = trace.getTracerProvider();
  if (!('getDelegateTracer' in provider)) return provider;
  // The API's own stand-in: it hands out tracers of a delegate, once there is one.
  const proxy = provider as unknown as { getDelegateTracer(name: string): unknown; getDelegate(): TracerProvider };
  return proxy.getDelegateTracer('nestjs-tracing') === undefined ? undefined : proxy.getDelegate();
}

/** Registers a tracer provider in place of the one that is there. */
export function registerProvider(provider: TracerProvider): void {
  unregisterProvider();
  trace.setGlobalTracerProvider(provider);
}

/** Lets go of the registered tracer provider. */
export function unregisterProvider(): void {
  // One that this version of the API cannot see would be thrown out by this too, and is somebody else's.
  if (registeredProvider()) trace.disable();
  forgetTracer();
}

/** Registers our context manager, unless there is one. Returns how to undo it. */
export function registerContextManager(): () => void {
  const present = context.with(ROOT_CONTEXT.setValue(PROBE, true), () => context.active().getValue(PROBE) === true);
  if (present || !registerOwnContextManager()) return () => {};
  return () => context.disable();
}

/** Registers a propagator, unless there is one. Returns how to undo it. */
export function registerPropagator(propagator: TextMapPropagator): () => void {
  if (propagation.fields().length > 0 || !propagation.setGlobalPropagator(propagator)) return () => {};
  return () => propagation.disable();
}
