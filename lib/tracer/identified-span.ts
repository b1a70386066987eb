import { TraceFlags, type SpanContext, type TraceState } from '@opentelemetry/api';
import type { LocalTrace } from './local-trace.js';
import { randomWord, wordText } from './trace-ids.js';

/** A span of the library: its ids, and those of its parent, as numbers until their text is asked for. */
export abstract class IdentifiedSpan {
  readonly word0: number;
  readonly word1: number;
  /** The id of a parent that is a span of the library. Both are zero if there is none. */
  readonly parentWord0: number = 0;
  readonly parentWord1: number = 0;
  /** The parent if it is another span: a remote one, or one of another tracer. */
  private readonly otherParent: SpanContext | undefined;
  private spanContextOnce: SpanContext | undefined;

  /**
   * @param parent a span of the library passes its sampling decision and its trace state on to this one; the span context of a parent
   * for which that does not hold
   */
  protected constructor(
    readonly trace: LocalTrace,
    parent: IdentifiedSpan | SpanContext | undefined,
    private sampled: boolean,
    private state: TraceState | undefined,
  ) {
    let word0 = randomWord();
    const word1 = randomWord();
    // An id of zeros only is invalid in W3C Trace Context.
    if (word0 === 0 && word1 === 0) word0 = 1;
    this.word0 = word0;
    this.word1 = word1;
    if (parent instanceof IdentifiedSpan) {
      this.parentWord0 = parent.word0;
      this.parentWord1 = parent.word1;
    } else this.otherParent = parent;
    this.spanContextOnce = undefined;
  }

  get traceState(): TraceState | undefined {
    return this.state;
  }

  get isSampled(): boolean {
    return this.sampled;
  }

  get traceFlags(): number {
    return this.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  }

  spanContext(): SpanContext {
    const once = this.spanContextOnce;
    // The flags of a span that has ended may change: it is exported if its trace is kept.
    if (once !== undefined && once.traceFlags === this.traceFlags) return once;
    const spanContext = this.spanContextFor(this.word0, this.word1);
    // The application may have frozen the span.
    if (!Object.isFrozen(this)) this.spanContextOnce = spanContext;
    return spanContext;
  }

  get parentSpanContext(): SpanContext | undefined {
    if (!this.hasParentOfLibrary) return this.otherParent;
    return this.spanContextFor(this.parentWord0, this.parentWord1);
  }

  private spanContextFor(word0: number, word1: number): SpanContext {
    const { state, trace, traceFlags } = this;
    const traceId = trace.id.text;
    const spanId = wordText(word0) + wordText(word1);
    return state ? { traceId, spanId, traceFlags, traceState: state } : { traceId, spanId, traceFlags };
  }

  /** True if the parent is a span of the library. */
  get hasParentOfLibrary(): boolean {
    return (this.parentWord0 | this.parentWord1) !== 0;
  }

  /** Replaces the sampling decision and the trace state, which were not known when the span started. */
  protected decide(isSampled: boolean, traceState: TraceState | undefined): void {
    if (isSampled === this.sampled && traceState === this.state) return;
    this.sampled = isSampled;
    this.state = traceState;
    this.spanContextOnce = undefined;
  }
}
