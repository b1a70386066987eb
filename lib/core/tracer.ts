import { types } from 'node:util';
import {
  INVALID_SPAN_CONTEXT,
  trace,
  TraceFlags,
  type Context,
  type Link,
  type Span,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { guarded, reportIgnored, warn } from './diagnostics.js';
import { VERSION } from './version.js';

let provider: TracerProvider | undefined;
let tracer: Tracer;
let parentBased = false;

/** The API's own stand-in for a provider: it hands out tracers of a delegate, once there is one. */
interface StandIn extends TracerProvider {
  getDelegate(): TracerProvider;
  getDelegateTracer(name: string): Tracer | undefined;
}

/** The delegate of the stand-in while there is none, and one that was seen to be real. */
let nobody: TracerProvider | undefined;
let somebody: TracerProvider | undefined;

/** Providers whose sampler never keeps a part of a trace that it does not keep. */
const parentBasedProviders = new WeakSet<TracerProvider>();

/**
 * Starts a span. Where that fails, because a sampler or span processor of the application throws, the trace goes on
 * without it.
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

/** The links that a tracer can take: because of one that it cannot, the whole span would be lost. */
function usableLinks(links: readonly Link[]): Link[] {
  if (Array.isArray(links) && links.every(isUsable)) return links;
  warn('links', 'Links that are none are left out: each needs a context with a trace id and a span id.');
  // A promise may still reject.
  if (types.isPromise(links)) void guarded('A function that gives links', () => links);
  return Symbol.iterator in Object(links) ? [...links].filter(isUsable) : [];
}

function isUsable(link: Link | undefined): boolean {
  const { traceId, spanId } = link?.context ?? {};
  return typeof traceId === 'string' && typeof spanId === 'string';
}

/** Says that a provider's sampler decides about whole traces: what stands below a span that is not kept is not kept either. */
export function noteParentBased(registered: TracerProvider): void {
  parentBasedProviders.add(registered);
  forgetTracer();
}

/** Whether nobody traces. */
export function isOff(): boolean {
  const registered = trace.getTracerProvider();
  if (!isStandIn(registered)) return false;
  const delegate = registered.getDelegate();
  if (delegate !== nobody && delegate !== somebody) {
    if (registered.getDelegateTracer('nestjs-tracing') === undefined) nobody = delegate;
    else somebody = delegate;
  }
  return delegate === nobody;
}

/** Whether nothing below this span would be kept. */
export function keepsNoChildren(span: Span): boolean {
  currentTracer();
  if (!parentBased || span.isRecording()) return false;
  // A span that has ended records no more either, but its trace is kept.
  return (span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0;
}

/** The library's tracer from the provider that is registered now. */
function currentTracer(): Tracer {
  const registered = trace.getTracerProvider();
  if (registered !== provider) {
    provider = registered;
    tracer = registered.getTracer('nestjs-tracing', VERSION);
    parentBased = parentBasedProviders.has(delegateOf(registered));
  }
  return tracer;
}

function delegateOf(registered: TracerProvider): TracerProvider {
  return isStandIn(registered) ? registered.getDelegate() : registered;
}

function isStandIn(registered: TracerProvider): registered is StandIn {
  return 'getDelegateTracer' in registered;
}

/** Has the next call ask for the tracer anew, because a provider was registered or is gone. */
export function forgetTracer(): void {
  provider = undefined;
}
