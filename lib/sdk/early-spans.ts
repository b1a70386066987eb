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
import { guarded } from '../core/diagnostics.js';
import { isTracingSuppressed } from '../core/suppression.js';
import { EarlySpan } from './early-span.js';
import { PresetIdGenerator } from './id-generator.js';

/** Spans that are kept until the provider is there; further ones are lost and counted. */
const MAX_EARLY_SPANS = 2048;

/**
 * Stands in for the tracer provider while the application starts and its options are not known yet.
 *
 * It keeps what is said to each span, and says it again to the real provider as soon as that is there: under the
 * configured service name, sampler and limits, with the ids that were handed out. From then on its tracers pass
 * everything on, so a tracer that was taken early works for as long as the process does.
 */
export class EarlyTracerProvider implements TracerProvider {
  /** Shared with the real provider, which gives a span the ids that it had before. */
  readonly ids = new PresetIdGenerator();
  #target: TracerProvider | undefined;
  // One list for each start, since one that fails tells nobody: the next to succeed is not to export its spans.
  #starts: EarlySpan[][] = [];
  #lost = 0;

  /** Where everything goes, once it is known. */
  get target(): TracerProvider | undefined {
    return this.#target;
  }

  getTracer(name: string, version?: string, options?: TracerOptions): Tracer {
    return new EarlyTracer(this, (target) => target.getTracer(name, version, options));
  }

  /** Begins to keep the spans of an application that starts. */
  hold(): void {
    this.#target = undefined;
    if (this.#starts.at(-1)?.length !== 0) this.#starts.push([]);
  }

  /**
   * Hands the spans of the latest start to the provider, and from now on everything. When it is called again, another
   * application that had begun earlier has come to its options as well.
   *
   * @returns how many spans there was no room for
   */
  release(target: TracerProvider): number {
    this.#target = target;
    for (const span of this.#starts.pop() ?? []) guarded('What was told to an early span', () => span.replay());
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }

  /** Forgets what was kept, and lets go of the provider. */
  drop(): void {
    this.#target = undefined;
    this.#starts = [];
    this.#lost = 0;
  }

  /** Keeps a span, if it is time and there is room. */
  keep(parent: Context, makeSpan: (ids: PresetIdGenerator) => EarlySpan): Span {
    const latest = this.#starts.at(-1);
    if (!latest || !this.#makeRoom()) {
      if (latest) this.#lost++;
      // With the parent's ids, so that what is traced beneath it later still belongs to the trace.
      return trace.wrapSpanContext(trace.getSpanContext(parent) ?? INVALID_SPAN_CONTEXT);
    }
    const span = makeSpan(this.ids);
    latest.push(span);
    return span;
  }

  #makeRoom(): boolean {
    const kept = () => this.#starts.reduce((sum, spans) => sum + spans.length, 0);
    while (this.#starts.length > 1 && kept() >= MAX_EARLY_SPANS) this.#starts.shift();
    return kept() < MAX_EARLY_SPANS;
  }
}

class EarlyTracer implements Tracer {
  #target: TracerProvider | undefined;
  #real: Tracer | undefined;

  constructor(
    private readonly provider: EarlyTracerProvider,
    private readonly tracerOf: (target: TracerProvider) => Tracer,
  ) {}

  startSpan(name: string, options: SpanOptions = {}, parent: Context = context.active()): Span {
    const real = this.real();
    if (real) return real.startSpan(name, options, parent);
    if (isTracingSuppressed(parent)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    const actual = options.root ? trace.deleteSpan(parent) : parent;
    return this.provider.keep(actual, (ids) => new EarlySpan(name, options, actual, () => this.real(), ids));
  }

  startActiveSpan<F extends (span: Span) => ReturnType<F>>(name: string, ...rest: unknown[]): ReturnType<F> {
    const fn = rest.pop() as F;
    const [options, given] = rest as [SpanOptions?, Context?];
    const parent = given ?? context.active();
    const span = this.startSpan(name, options, parent);
    return context.with(trace.setSpan(parent, span), () => fn(span));
  }

  private real(): Tracer | undefined {
    const { target } = this.provider;
    if (target !== this.#target) {
      this.#target = target;
      this.#real = target && this.tracerOf(target);
    }
    return this.#real;
  }
}
