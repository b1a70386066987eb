import {
  INVALID_SPAN_CONTEXT,
  trace,
  type Attributes,
  type Context,
  type Span,
  type SpanOptions,
} from '@opentelemetry/api';
import { callSafely } from '../core/diagnostics.js';
import { candidateOf } from './candidate-of.js';
import { IdentifiedSpan } from './identified-span.js';
import type { Origin } from './origin.js';
import type { Pipeline } from './pipeline.js';
import { decide } from './sampling.js';
import type { RecordedSpan } from './span.js';

/** The number of spans that are buffered; further ones are dropped and counted. */
const MAX_EARLY_SPANS = 2048;

/** A span that waits for the options, and the arguments with which it has started. */
interface EarlySpan {
  readonly span: RecordedSpan;
  readonly origin: Origin;
  readonly within: Context;
  readonly name: string;
  /** The attributes are a copy, because the application may change them later. */
  readonly options: SpanOptions & { readonly attributes: Attributes };
}

/**
 * The spans that start while the options of an application are not known. They are recorded, and sent through the pipeline as soon as there
 * is one: under the configured service name, sampler and limits, with the ids that were handed out.
 */
export class EarlySpans {
  // One buffer for each start of an application. A start that fails is not reported, and the next one must not export its spans.
  private buffers: EarlySpan[][] = [];
  private dropped = 0;

  /** Starts to buffer the spans of an application that starts. */
  startBuffering(): void {
    if (this.buffers.at(-1)?.length !== 0) this.buffers.push([]);
  }

  /** Discards the buffered spans. */
  discardBuffered(): void {
    for (const { span } of this.buffers.flat()) span.discard();
    this.buffers = [];
    this.dropped = 0;
  }

  /** Returns a buffered span, or one that does not record if no application is starting or the buffer is full. */
  start(origin: Origin, within: Context, options: SpanOptions, startSpan: () => RecordedSpan): Span {
    const latest = this.buffers.at(-1);
    if (!latest || !this.makeRoom()) {
      if (latest) this.dropped++;
      // With the ids of its parent, so that spans below it belong to the same trace.
      const { parent } = origin;
      const ids = parent instanceof IdentifiedSpan ? parent.spanContext() : parent;
      return trace.wrapSpanContext(ids ?? INVALID_SPAN_CONTEXT);
    }
    const span = startSpan();
    latest.push({ span, origin, within, name: span.name, options: { ...options, attributes: { ...span.attributes } } });
    return span;
  }

  /**
   * Sends the spans of the latest start through a pipeline. A second call sends the spans of an application that started earlier, and whose
   * options are known later.
   *
   * @returns the number of spans that were dropped because the buffer was full
   */
  enter(pipeline: Pipeline): number {
    const latest = this.buffers.pop() ?? [];
    for (const early of latest) callSafely('Sampling an early span', () => enter(early, pipeline));
    // The end of a span may decide about its trace, so the pipeline sees the ends in their order, and of two at one time first the inner one.
    const ended = latest.flatMap(({ span }) => (span.hasEndedEarly ? span : [])).toReversed();
    for (const span of ended.toSorted((a, b) => a.endedAt - b.endedAt)) {
      callSafely('Ending an early span', () => span.finishEarly());
    }
    const { dropped } = this;
    this.dropped = 0;
    return dropped;
  }

  /** Discards the buffers of earlier starts, if need be. Returns true if there is room for a span. */
  private makeRoom(): boolean {
    const count = () => this.buffers.reduce((sum, spans) => sum + spans.length, 0);
    while (this.buffers.length > 1 && count() >= MAX_EARLY_SPANS) {
      for (const { span } of this.buffers.shift() ?? []) span.discard();
    }
    return count() < MAX_EARLY_SPANS;
  }
}

function enter({ name, options, origin, span, within }: EarlySpan, pipeline: Pipeline): void {
  const decision = decide(pipeline.sampling, origin, within, name, span.kind, options);
  const candidate =
    !decision.isRecorded && pipeline.candidates && candidateOf(origin, within, span.kind, pipeline.candidates);
  if (candidate) candidate.onStart(span);
  if (decision.isRecorded || candidate) span.enter(pipeline, within, decision, options.attributes);
  else span.discard(decision.traceState);
}
