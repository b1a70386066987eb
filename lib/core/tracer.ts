import { types } from 'node:util';
import {
  INVALID_SPAN_CONTEXT,
  trace,
  type Context,
  type Link,
  type Span,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { isUndecided } from './candidate-span.js';
import { isSampled } from './sampled.js';
import { callSafely, reportIgnored, warn } from './diagnostics.js';
import { VERSION } from './version.js';

let provider: TracerProvider | undefined;
let tracer: Tracer;
let delegate: SamplingProvider | undefined;

/** The `ProxyTracerProvider` of the API, which returns the tracers of its delegate. */
interface ProxyProvider extends TracerProvider {
  getDelegate(): TracerProvider;
  getDelegateTracer(name: string): Tracer | undefined;
}

/** The no-op delegate that the API's proxy has until a provider is registered, and the real delegate that was seen last. */
let noopDelegate: TracerProvider | undefined;
let realDelegate: TracerProvider | undefined;

interface SamplingProvider extends TracerProvider {
  /** True if the provider is one of the library whose sampler never samples a span below an unsampled one. */
  readonly isUnsampledInherited?: boolean;
}

/**
 * Starts a span. If that fails, because a sampler or a span processor of the application throws, it returns a non-recording span that
 * continues the trace of the parent.
 */
export function startSpan(name: string, options: SpanOptions, parent: Context): Span {
  try {
    const { links } = options;
    const usable = links && usableLinks(links);
    return currentTracer().startSpan(name, usable === links ? options : { ...options, links: usable }, parent);
  } catch (error) {
    reportIgnored('Starting a span', error);
    return trace.wrapSpanContext(trace.getSpanContext(parent) ?? INVALID_SPAN_CONTEXT);
  }
}

/** Returns the links that a tracer accepts: a single malformed link would make it throw, and the whole span would be lost. */
function usableLinks(links: readonly Link[]): Link[] {
  if (Array.isArray(links) && links.every(isUsable)) return links;
  warn('links', 'Invalid links are left out: each link needs a context with a trace id and a span id.');
  // The links may come from an async function, whose rejection would end the process.
  if (types.isPromise(links)) void callSafely('A function that gives links', () => links);
  return Symbol.iterator in Object(links) ? [...links].filter(isUsable) : [];
}

function isUsable(link: Link | undefined): boolean {
  const { traceId, spanId } = link?.context ?? {};
  return typeof traceId === 'string' && typeof spanId === 'string';
}

/** True if no tracer provider is registered, so that all spans are no-op spans. */
export function isTracingOff(): boolean {
  const registered = trace.getTracerProvider();
  if (!isProxyProvider(registered)) return false;
  const delegate = registered.getDelegate();
  if (delegate !== noopDelegate && delegate !== realDelegate) {
    if (registered.getDelegateTracer('nestjs-tracing') === undefined) noopDelegate = delegate;
    else realDelegate = delegate;
  }
  return delegate === noopDelegate;
}

/** True if no span below this span would be sampled. */
export function isSubtreeUnsampled(span: Span): boolean {
  currentTracer();
  if (delegate?.isUnsampledInherited !== true || span.isRecording()) return false;
  // A span that has ended no longer records either, but its trace may be sampled or kept.
  return !isSampled(span) && !isUndecided(span);
}

/** Returns the library's tracer of the provider that is registered now. */
function currentTracer(): Tracer {
  const registered = trace.getTracerProvider();
  if (registered !== provider) {
    provider = registered;
    tracer = registered.getTracer('nestjs-tracing', VERSION);
    delegate = delegateOf(registered);
  }
  return tracer;
}

function delegateOf(registered: TracerProvider): TracerProvider {
  return isProxyProvider(registered) ? registered.getDelegate() : registered;
}

function isProxyProvider(registered: TracerProvider): registered is ProxyProvider {
  return 'getDelegateTracer' in registered;
}

/** Clears the cached tracer, because a provider was registered or removed. */
export function clearTracerCache(): void {
  provider = undefined;
}
