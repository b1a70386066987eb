import type { Tracer, TracerOptions, TracerProvider } from '@opentelemetry/api';
import { EarlySpans } from './early-spans.js';
import type { Pipeline } from './pipeline.js';
import { SpanTracer, type InstrumentationScope, type SpanDestination } from './tracer.js';

/**
 * The tracer provider of the process. It is there before the options are known: until then, spans are recorded and buffered. Its tracers work
 * for as long as the process does, also if one application follows another.
 */
export class LibraryTracerProvider implements TracerProvider, SpanDestination {
  readonly early = new EarlySpans();
  private readonly tracers = new Map<string, Tracer>();
  private currentPipeline: Pipeline | undefined;
  private currentOther: TracerProvider | undefined;

  /** Undefined while spans are buffered, and while nothing is traced. */
  get pipeline(): Pipeline | undefined {
    return this.currentPipeline;
  }

  get otherProvider(): TracerProvider | undefined {
    return this.currentOther;
  }

  /** True if a span below an unsampled one is never sampled. */
  get isUnsampledInherited(): boolean {
    return this.currentPipeline?.sampling.isUnsampledInherited === true;
  }

  getTracer(name: string, version?: string, options?: TracerOptions): Tracer {
    const scope = scopeOf(name, version, options?.schemaUrl);
    const key = JSON.stringify([scope.name, scope.version, scope.schemaUrl]);
    let tracer = this.tracers.get(key);
    if (!tracer) this.tracers.set(key, (tracer = new SpanTracer(this, scope)));
    return tracer;
  }

  /** Starts to buffer the spans of an application that starts. */
  startBuffering(): void {
    this.setDestination(undefined, undefined);
    this.early.startBuffering();
  }

  /** Discards the buffered spans. Nothing is traced from then on. */
  discardBuffered(): void {
    this.setDestination(undefined, undefined);
    this.early.discardBuffered();
  }

  /**
   * Sends spans through a pipeline from now on, and first those of the latest start that are buffered.
   *
   * @param otherProvider the provider that creates the spans from now on; undefined if the library creates them itself
   * @returns the number of spans that were dropped because the buffer was full
   */
  use(pipeline: Pipeline, otherProvider: TracerProvider | undefined): number {
    this.setDestination(pipeline, otherProvider);
    return this.early.enter(pipeline);
  }

  /** Lets the provider of another SDK create the spans from now on. */
  passTo(otherProvider: TracerProvider): void {
    this.discardBuffered();
    this.setDestination(undefined, otherProvider);
  }

  private setDestination(pipeline: Pipeline | undefined, otherProvider: TracerProvider | undefined): void {
    this.currentPipeline = pipeline;
    this.currentOther = otherProvider;
  }

  /** Exports the spans that have ended so far. Part of the interface of the SDK. */
  async forceFlush(): Promise<void> {
    await this.currentPipeline?.forceFlush();
  }

  /** Part of the interface of the SDK. The module shuts its pipeline down itself, so that the last spans of the application still leave. */
  shutdown(): Promise<void> {
    return this.forceFlush();
  }
}

/** Returns an instrumentation scope. Exporters need texts. */
function scopeOf(name: unknown, version: unknown, schemaUrl: unknown): InstrumentationScope {
  return { name: textOf(name) ?? '', version: textOf(version), schemaUrl: textOf(schemaUrl) };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
