import {
  context as contextApi,
  INVALID_SPAN_CONTEXT,
  SpanKind,
  trace,
  type Context,
  type Span,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
  type TraceState,
} from '@opentelemetry/api';
import { reportIgnored } from '../core/diagnostics.js';
import { isQuerySpan } from '../core/query-span.js';
import { isQuerySpanWatched, reportQuerySpan } from '../core/query-span-watch.js';
import { isTracingSuppressed } from '../core/suppression.js';
import type { ReadableSpan } from '../options/sdk-types.js';
import type { EarlySpans } from './early-spans.js';
import { IdentifiedSpan } from './identified-span.js';
import { candidateOf } from './candidate-of.js';
import { originBelow, type Origin } from './origin.js';
import type { Pipeline } from './pipeline.js';
import { decide, decideQuickly } from './sampling.js';
import { RecordedSpan } from './span.js';
import { UnsampledSpan } from './unsampled-span.js';

export type InstrumentationScope = ReadableSpan['instrumentationScope'];

/** The destination of the spans of all tracers. */
export interface SpanDestination {
  /** Undefined while the options are not known, and while nothing is traced. */
  readonly pipeline: Pipeline | undefined;
  /** The provider that creates the spans. Undefined if the library creates them itself. */
  readonly otherProvider: TracerProvider | undefined;
  readonly early: EarlySpans;
}

/** Creates the spans of one instrumentation scope. It works for as long as the process does, whichever pipeline there is. */
export class SpanTracer implements Tracer {
  private otherProvider: TracerProvider | undefined;
  private otherTracer: Tracer | undefined;

  constructor(
    private readonly destination: SpanDestination,
    private readonly scope: InstrumentationScope,
  ) {}

  /** Never throws, unless it is the tracer of another provider that throws. */
  startSpan(name: string, options?: SpanOptions, within?: Context): Span {
    if (isQuerySpanWatched() && options && isQuerySpan(options)) reportQuerySpan();
    const { otherProvider } = this.destination;
    if (otherProvider) return this.tracerOf(otherProvider).startSpan(name, options, within);
    try {
      return this.start(name, options ?? {}, within ?? contextApi.active());
    } catch (error) {
      reportIgnored('Starting a span', error);
      return noopSpan();
    }
  }

  private start(name: string, options: SpanOptions, active: Context): Span {
    const { early, pipeline } = this.destination;
    const within = options.root ? trace.deleteSpan(active) : active;
    if (isTracingSuppressed(within)) return noopSpan();
    const origin = originBelow(trace.getSpan(within));
    if (!pipeline) {
      const start = () => this.record(undefined, origin, true, origin.traceState, name, options);
      return early.start(origin, within, options, start);
    }
    const isSampled = decideQuickly(pipeline.sampling, origin, within);
    if (isSampled === undefined) return this.startByDecision(pipeline, origin, name, options, within);
    if (!isSampled) return this.startUnsampled(pipeline, origin, origin.traceState, name, options, within);
    const span = this.record(pipeline, origin, true, origin.traceState, name, options);
    pipeline.onStart(span, within);
    return span;
  }

  startActiveSpan<F extends (span: Span) => ReturnType<F>>(name: string, ...rest: unknown[]): ReturnType<F> {
    // The tracer of the SDK does nothing without a function, and ignores further arguments.
    if (rest.length === 0) return undefined as ReturnType<F>;
    const given = rest.slice(0, 3);
    const fn = given.pop() as F;
    const [options, within] = given as [SpanOptions?, Context?];
    const parent = within ?? contextApi.active();
    const span = this.startSpan(name, options, parent);
    return contextApi.with(trace.setSpan(parent, span), fn, undefined, span);
  }

  private startByDecision(
    pipeline: Pipeline,
    origin: Origin,
    name: string,
    options: SpanOptions,
    within: Context,
  ): Span {
    const decision = decide(pipeline.sampling, origin, within, name, options.kind ?? SpanKind.INTERNAL, options);
    const { isRecorded, isSampled, traceState } = decision;
    if (!isRecorded) return this.startUnsampled(pipeline, origin, traceState, name, options, within);
    const { parent } = origin;
    // The decision of the sampler is about this span alone, so the parent keeps its own.
    const below = parent instanceof IdentifiedSpan ? { ...origin, parent: parent.spanContext() } : origin;
    const decided = { ...options, attributes: decision.attributes };
    const span = this.record(pipeline, below, isSampled, traceState, name, decided);
    pipeline.onStart(span, within);
    return span;
  }

  private startUnsampled(
    pipeline: Pipeline,
    origin: Origin,
    traceState: TraceState | undefined,
    name: string,
    options: SpanOptions,
    within: Context,
  ): Span {
    const candidate = pipeline.candidates && candidateOf(origin, within, options.kind, pipeline.candidates);
    if (!candidate) return new UnsampledSpan(origin.trace, traceState);
    const span = this.record(pipeline, origin, false, traceState, name, options);
    candidate.onStart(span);
    pipeline.onStart(span, within);
    return span;
  }

  private record(
    pipeline: Pipeline | undefined,
    { parent, trace }: Origin,
    isSampled: boolean,
    traceState: TraceState | undefined,
    name: string,
    { attributes, kind = SpanKind.INTERNAL, links, startTime }: SpanOptions,
  ): RecordedSpan {
    const startedAt = performance.now();
    const span = new RecordedSpan(
      this.scope,
      pipeline,
      trace.at(startedAt),
      parent,
      isSampled,
      traceState,
      name,
      kind,
      startedAt,
      startTime,
    );
    if (attributes) span.setAttributes(attributes);
    if (links) span.addLinks(links);
    return span;
  }

  private tracerOf(provider: TracerProvider): Tracer {
    if (provider !== this.otherProvider) {
      this.otherProvider = provider;
      const { name, schemaUrl, version } = this.scope;
      this.otherTracer = provider.getTracer(name, version, schemaUrl === undefined ? undefined : { schemaUrl });
    }
    return this.otherTracer as Tracer;
  }
}

/** Returns a new span each time: the application, or an instrumentation, may set properties of it. */
function noopSpan(): Span {
  return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
}
