import {
  context,
  INVALID_SPAN_CONTEXT,
  trace,
  type Context,
  type Span,
  type SpanOptions,
  type Tracer,
  type TracerOptions,
  type TracerProvider,
} from '@opentelemetry/api';
import { callSafely } from '../core/diagnostics.js';
import { isTracingSuppressed } from '../core/suppression.js';
import { EarlySpan } from './early-span.js';
import { PresetIdGenerator } from './id-generator.js';

/** The number of spans that are buffered; further ones are dropped and counted. */
const MAX_EARLY_SPANS = 2048;

/**
 * Stands in for the tracer provider while an application starts and its options are not known.
 *
 * It buffers the spans with all calls of their methods, and replays them to the real provider as soon as there is one: under
 * the configured service name, sampler and limits, with the ids that were handed out. From then on its tracers pass everything
 * on, so a tracer that was taken early works for as long as the process does.
 */
export class EarlyTracerProvider implements TracerProvider {
  /** Shared with the real provider, so that it gives a replayed span the ids of the buffered one. */
  readonly ids = new PresetIdGenerator();
  #target: TracerProvider | undefined;
  // One buffer for each start of an application. A start that fails is not reported, and the next one must not export its spans.
  #buffers: EarlySpan[][] = [];
  #dropped = 0;

  /** The real provider. Undefined while spans are buffered, and while nothing is traced. */
  get target(): TracerProvider | undefined {
    return this.#target;
  }

  getTracer(name: string, version?: string, options?: TracerOptions): Tracer {
    return new EarlyTracer(this, (target) => target.getTracer(name, version, options));
  }

  /** Starts to buffer the spans of an application that starts. */
  startBuffering(): void {
    this.#target = undefined;
    if (this.#buffers.at(-1)?.length !== 0) this.#buffers.push([]);
  }

  /**
   * Replays the spans of the latest start to the provider, and passes everything on to it from now on. A second call replays
   * the spans of an application that started earlier, and whose options are known later.
   *
   * @returns how many spans were dropped because the buffer was full
   */
  replayTo(target: TracerProvider): number {
    this.#target = target;
    for (const span of this.#buffers.pop() ?? []) callSafely('Replaying an early span', () => span.replay());
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** Discards the buffered spans, and passes nothing on from now on. */
  discardBuffered(): void {
    this.#target = undefined;
    this.#buffers = [];
    this.#dropped = 0;
  }

  /** Returns a buffered span, or one that does not record if no application is starting or the buffer is full. */
  bufferSpan(parent: Context, createSpan: (ids: PresetIdGenerator) => EarlySpan): Span {
    const latest = this.#buffers.at(-1);
    if (!latest || !this.#makeRoom()) {
      if (latest) this.#dropped++;
      // With the ids of its parent, so that spans below it belong to the same trace.
      return trace.wrapSpanContext(trace.getSpanContext(parent) ?? INVALID_SPAN_CONTEXT);
    }
    const span = createSpan(this.ids);
    latest.push(span);
    return span;
  }

  /** Discards the buffers of earlier starts, if need be. Returns true if there is room for a span. */
  #makeRoom(): boolean {
    const count = () => this.#buffers.reduce((sum, spans) => sum + spans.length, 0);
    while (this.#buffers.length > 1 && count() >= MAX_EARLY_SPANS) this.#buffers.shift();
    return count() < MAX_EARLY_SPANS;
  }
}

class EarlyTracer implements Tracer {
  #target: TracerProvider | undefined;
  #realTracer: Tracer | undefined;

  constructor(
    private readonly provider: EarlyTracerProvider,
    private readonly tracerOf: (target: TracerProvider) => Tracer,
  ) {}

  startSpan(name: string, options: SpanOptions = {}, parent: Context = context.active()): Span {
    const realTracer = this.realTracer();
    if (realTracer) return realTracer.startSpan(name, options, parent);
    if (isTracingSuppressed(parent)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    const actualParent = options.root ? trace.deleteSpan(parent) : parent;
    const createSpan = (ids: PresetIdGenerator) =>
      new EarlySpan(name, options, actualParent, () => this.realTracer(), ids);
    return this.provider.bufferSpan(actualParent, createSpan);
  }

  startActiveSpan<F extends (span: Span) => ReturnType<F>>(name: string, ...rest: unknown[]): ReturnType<F> {
    const fn = rest.pop() as F;
    const [options, given] = rest as [SpanOptions?, Context?];
    const parent = given ?? context.active();
    const span = this.startSpan(name, options, parent);
    return context.with(trace.setSpan(parent, span), () => fn(span));
  }

  private realTracer(): Tracer | undefined {
    const { target } = this.provider;
    if (target !== this.#target) {
      this.#target = target;
      this.#realTracer = target && this.tracerOf(target);
    }
    return this.#realTracer;
  }
}
