import { SpanStatusCode, type SpanStatus } from '@opentelemetry/api';
import { warn } from '../core/diagnostics.js';
import type { ResolvedKeep } from '../options/sampler.js';

/** The name that the tail sampling processor of OpenTelemetry's collector gives to the rule by which a trace is kept. */
export const ATTR_TAIL_SAMPLING_POLICY = 'tailsampling.policy';

/** The part of the rule that a kept trace has met. The names are those of the options. */
export type KeepReason = 'errors' | 'slowerThan';

/** A recorded span of a trace about whose export is decided later. */
export interface CandidateSpan {
  readonly status: SpanStatus;
  readonly estimatedSize: number;
  /** The milliseconds from the start of the span to its end, or to now if it is open. */
  readonly elapsed: number;
  /**
   * Passes the ended span on to the processors.
   *
   * @param reason undefined if the trace is discarded: the span is not sampled, so that no processor exports it
   */
  passOn(reason: KeepReason | undefined): void;
}

/** The undecided traces of a process beyond which the oldest one is decided. */
const MAX_TRACES = 2000;
/** Estimated bytes of the ended spans of all undecided traces. */
const MAX_BYTES = 16 * 2 ** 20;
/** Limits of one trace, so that it does not displace all others. */
const MAX_SPANS_PER_TRACE = 1000;
const MAX_BYTES_PER_TRACE = 2 ** 20;

/** The candidates of a pipeline that are not decided yet, oldest first. They are bounded by number and by bytes. */
export class CandidateTraces {
  private readonly undecided = new Set<CandidateTrace>();
  private bytes = 0;

  constructor(readonly rule: ResolvedKeep) {}

  /** Begins a trace. The local root is the first span that starts in it. */
  begin(): CandidateTrace {
    if (this.undecided.size >= MAX_TRACES) this.decideOldest(`${MAX_TRACES} traces are undecided`);
    const candidate = new CandidateTrace(this);
    this.undecided.add(candidate);
    return candidate;
  }

  /** Decides about each trace by what is known of it, because the application shuts down. */
  decideAll(): void {
    for (const candidate of [...this.undecided]) candidate.decideEarly();
  }

  /** Called by a candidate that collects a span. */
  addBytes(bytes: number): void {
    this.bytes += bytes;
    while (this.bytes > MAX_BYTES && this.undecided.size > 0)
      this.decideOldest(`${MAX_BYTES / 2 ** 20} MiB of spans are undecided`);
  }

  /** Called by a candidate that is decided. */
  release(candidate: CandidateTrace, bytes: number): void {
    this.undecided.delete(candidate);
    this.bytes -= bytes;
  }

  /** The oldest trace is most likely one that never ends, such as a stream, or one whose root the application has forgotten to end. */
  private decideOldest(why: string): void {
    const [oldest] = this.undecided;
    oldest?.decideAtLimit(why);
  }
}

/**
 * A trace that the sampler has not sampled, and that may be kept. Its ended spans are collected until a span has failed, which keeps it, or
 * until its local root ends. Spans that end later follow the decision.
 */
export class CandidateTrace {
  private state: 'undecided' | 'discarded' | KeepReason = 'undecided';
  private root: CandidateSpan | undefined;
  private ended: CandidateSpan[] = [];
  private started = 0;
  private bytes = 0;

  constructor(private readonly owner: CandidateTraces) {}

  get isUndecided(): boolean {
    return this.state === 'undecided';
  }

  get isDiscarded(): boolean {
    return this.state === 'discarded';
  }

  get isKept(): boolean {
    return this.reason !== undefined;
  }

  onStart(span: CandidateSpan): void {
    if (!this.isUndecided) return;
    this.root ??= span;
    if (++this.started > MAX_SPANS_PER_TRACE) this.decideAtLimit(`the trace has over ${MAX_SPANS_PER_TRACE} spans`);
  }

  onEnd(span: CandidateSpan): void {
    if (!this.isUndecided) {
      span.passOn(this.reason);
      return;
    }
    const { rule } = this.owner;
    const isRoot = span === this.root;
    this.ended.push(span);
    if (rule.errors && span.status.code === SpanStatusCode.ERROR) this.decide('errors');
    else if (isRoot) this.decideByDuration(span);
    else this.collect(span.estimatedSize);
  }

  /** Discards the trace if a span that is never exported is its local root. */
  onDiscard(span: CandidateSpan): void {
    if (span === this.root) this.decide('discarded');
  }

  /** Decides by what is known, before the local root has ended. */
  decideEarly(): void {
    if (this.root) this.decideByDuration(this.root);
    else this.decide('discarded');
  }

  /** Decides early because a limit is exceeded. */
  decideAtLimit(why: string): void {
    this.decideEarly();
    if (!this.isDiscarded) return;
    const what = 'A trace was discarded before it was known whether the option sampler.keep keeps it';
    warn('candidate-traces', `${what}: ${why}.`);
  }

  private decideByDuration(root: CandidateSpan): void {
    this.decide(root.elapsed > this.owner.rule.slowerThan ? 'slowerThan' : 'discarded');
  }

  private collect(bytes: number): void {
    this.bytes += bytes;
    this.owner.addBytes(bytes);
    // To add the bytes may have decided about this trace.
    if (this.isUndecided && this.bytes > MAX_BYTES_PER_TRACE) {
      this.decideAtLimit(`the trace has over ${MAX_BYTES_PER_TRACE / 2 ** 20} MiB of spans`);
    }
  }

  private decide(state: Exclude<CandidateTrace['state'], 'undecided'>): void {
    const { bytes, ended } = this;
    this.state = state;
    this.root = undefined;
    this.ended = [];
    this.owner.release(this, bytes);
    for (const span of ended) span.passOn(this.reason);
  }

  private get reason(): KeepReason | undefined {
    return this.state === 'undecided' || this.state === 'discarded' ? undefined : this.state;
  }
}
