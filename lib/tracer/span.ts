import { inspect, type InspectOptions } from 'node:util';
import {
  SpanStatusCode,
  type Attributes,
  type AttributeValue,
  type Context,
  type Exception,
  type Link,
  type Span,
  type SpanContext,
  type SpanKind,
  type SpanStatus,
  type TimeInput,
  TraceFlags,
  type TraceState,
} from '@opentelemetry/api';
import { cutText } from '../core/cut-text.js';
import { callSafely, reportIgnored } from '../core/diagnostics.js';
import type { ReadableSpan } from '../options/sdk-types.js';
import { AttributeSet } from './attributes.js';
import { ATTR_TAIL_SAMPLING_POLICY, type CandidateSpan, type KeepReason } from './candidate-trace.js';
import { isTimeInput } from './clock.js';
import { BYTES_PER_SPAN, entriesSize, textSize } from './estimated-size.js';
import { addNewest, createEvent, createLink, limitEntries, type SpanEvent, type SpanLink } from './events-and-links.js';
import { exceptionAttributes } from './exception-attributes.js';
import type { IdentifiedSpan } from './identified-span.js';
import type { LocalTrace } from './local-trace.js';
import type { Pipeline } from './pipeline.js';
import type { Decision } from './sampling.js';
import { shownParts } from './shown-parts.js';
import { toKind } from './span-kind.js';
import { toName } from './span-name.js';
import { EARLY_LIMITS, type SpanLimits } from './span-limits.js';
import { toStatus, UNSET } from './span-status.js';
import { TimedSpan } from './timed-span.js';

/** The parts of a span that are made when they are read. In a span of the SDK they are own properties. */
const LAZY_PARTS = ['parentSpanContext', 'startTime', 'endTime', 'attributes', 'events', 'links', 'resource'] as const;

/**
 * A recorded span, by the specification of the SDK. It is also the finished span that processors and exporters read.
 *
 * A span that starts before the options are known has no pipeline. It is recorded like any other, and `enter()` or `discard()` says what becomes of it.
 */
export class RecordedSpan extends TimedSpan implements Span, ReadableSpan, CandidateSpan {
  name: string;
  readonly kind: SpanKind;
  status: SpanStatus = UNSET;
  droppedEventsCount = 0;
  droppedLinksCount = 0;
  private readonly attributeSet = new AttributeSet();
  private eventList: SpanEvent[] | undefined;
  private linkList: SpanLink[] | undefined;
  private pipeline: Pipeline | undefined;
  /** True once the span has ended or was discarded: it can no longer be changed. */
  private isClosed = false;
  private sizeOnce: number | undefined;

  /**
   * @param pipeline undefined if the options are not known yet
   * @param startedAt the reading of the monotonic clock at the start; `startTime` takes precedence
   */
  constructor(
    readonly instrumentationScope: ReadableSpan['instrumentationScope'],
    pipeline: Pipeline | undefined,
    trace: LocalTrace,
    parent: IdentifiedSpan | SpanContext | undefined,
    isSampled: boolean,
    traceState: TraceState | undefined,
    name: string,
    kind: SpanKind,
    startedAt: number,
    startTime?: TimeInput,
  ) {
    super(trace, parent, isSampled, traceState, startedAt);
    this.pipeline = pipeline;
    this.name = toName(name);
    this.kind = toKind(kind);
    if (startTime !== undefined) this.startAt(startTime);
  }

  /** Moves the start to now, because the work itself only starts now. */
  restart(): void {
    if (!this.isClosed) this.startNow();
  }

  isRecording(): boolean {
    return !this.isClosed;
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (!this.isClosed) this.attributeSet.set(key, value, this.limits.attributes);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    if (!this.isClosed) this.attributeSet.setAll(attributes, this.limits.attributes);
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.isClosed) return this;
    const { eventAttributes, eventCount } = this.limits;
    const isTime = isTimeInput(attributesOrTime);
    const at = this.timeOf(isTime && !isTimeInput(time) ? attributesOrTime : time);
    const event = createEvent(name, isTime ? undefined : attributesOrTime, at, eventAttributes);
    this.droppedEventsCount += addNewest((this.eventList ??= []), event, eventCount);
    return this;
  }

  addLink(given: Link): this {
    if (this.isClosed) return this;
    const { linkAttributes, linkCount } = this.limits;
    const link = createLink(given, linkAttributes);
    if (link) this.droppedLinksCount += addNewest((this.linkList ??= []), link, linkCount);
    return this;
  }

  addLinks(links: Link[]): this {
    if (Array.isArray(links)) for (const link of links) this.addLink(link);
    return this;
  }

  /** A status of `OK` is final, and nothing unsets a status. */
  setStatus(status: SpanStatus): this {
    if (!this.isClosed && this.status.code !== SpanStatusCode.OK)
      this.status = toStatus(status, this.limits.attributes.valueLength) ?? this.status;
    return this;
  }

  updateName(name: string): this {
    if (!this.isClosed) this.name = toName(name);
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    // An exception may have getters of the application.
    const attributes = callSafely('Describing an exception', () => exceptionAttributes(exception));
    if (attributes) this.addEvent('exception', attributes, time);
  }

  /** Never throws. */
  end(endTime?: TimeInput): void {
    // A span that is about to end is not closed yet, and a processor may end it again.
    if (this.isClosed || !Number.isNaN(this.endedAt)) return;
    try {
      if (isTimeInput(endTime)) this.endAt(endTime);
      else this.endedAt = performance.now();
      if (this.pipeline) this.finish(this.pipeline);
      else this.isClosed = true;
    } catch (error) {
      // The application may have frozen the span.
      reportIgnored('Ending a span', error);
    }
  }

  private finish(pipeline: Pipeline): void {
    if (pipeline.isObserved) this.showParts();
    pipeline.onEnding(this);
    this.isClosed = true;
    const { candidate } = this.trace;
    if (candidate) candidate.onEnd(this);
    else pipeline.onEnd(this);
  }

  /** The flags that are propagated, until the span has ended. Each span that is exported has the sampled flag, as the specification defines. */
  override get traceFlags(): number {
    return this.isSampled || this.isKept ? TraceFlags.SAMPLED : TraceFlags.NONE;
  }

  /** True if the span has ended and is exported, although its trace is not sampled. */
  get isKept(): boolean {
    return this.isClosed && this.trace.candidate?.isKept === true;
  }

  /** True if the trace is not sampled, and it is not known yet whether it is kept. */
  get isUndecided(): boolean {
    return this.trace.candidate?.isUndecided === true;
  }

  /** Processors receive each recorded span, as the specification defines. A span of a discarded trace is not sampled, so none exports it. */
  passOn(reason: KeepReason | undefined): void {
    if (reason) callSafely('Marking a kept span', () => (this.attributes[ATTR_TAIL_SAMPLING_POLICY] = reason));
    this.pipeline?.onEnd(this);
  }

  /** Reports that the span is never exported, and will not end. */
  discardCandidate(): void {
    this.trace.candidate?.onDiscard(this);
  }

  /**
   * Gives the span the own properties that a span of the SDK has. Processors and exporters of others may copy them by `{ ...span }`, or assign
   * them. The library itself reads the getters, which make a part only if it is asked for.
   */
  private showParts(): void {
    // Others may change the status as well, and spans without one share an object.
    this.status = { ...this.status };
    for (const part of LAZY_PARTS) {
      Object.defineProperty(this, part, { value: this[part], writable: true, enumerable: true, configurable: true });
    }
  }

  /**
   * Starts to send a span that has started before the options were known through a pipeline. If it has ended as well, `finishEarly()` follows.
   *
   * @param parent the context in which it has started
   * @param initial the values of the attributes with which it has started
   */
  enter(pipeline: Pipeline, parent: Context, decision: Decision, initial: Attributes): void {
    this.decide(decision.isSampled, decision.traceState);
    this.pipeline = pipeline;
    this.attributeSet.decide(initial, decision.attributes, this.limits.attributes);
    this.applyLimits(this.limits);
    // A processor may set attributes of a span that starts.
    this.isClosed = false;
    pipeline.onStart(this, parent);
  }

  /** True if the span has ended before the options were known, and the pipeline does not know it yet. */
  get hasEndedEarly(): boolean {
    return !this.isClosed && !Number.isNaN(this.endedAt);
  }

  finishEarly(): void {
    if (this.pipeline) this.finish(this.pipeline);
  }

  /** Turns a span into one that is not recorded. */
  discard(traceState = this.traceState): void {
    this.decide(false, traceState);
    this.isClosed = true;
  }

  private applyLimits({ attributes, eventAttributes, eventCount, linkAttributes, linkCount }: SpanLimits): void {
    if (this.status.message) this.status.message = cutText(this.status.message, attributes.valueLength);
    const events = limitEntries(this.eventList, eventAttributes, eventCount);
    const links = limitEntries(this.linkList, linkAttributes, linkCount);
    this.eventList = events.kept;
    this.linkList = links.kept;
    this.droppedEventsCount += events.dropped;
    this.droppedLinksCount += links.dropped;
  }

  get ended(): boolean {
    return this.isClosed;
  }

  get attributes(): Attributes {
    return this.attributeSet.values;
  }

  /** A processor of the application may replace the attributes, although the types of the SDK say that they are read only. */
  set attributes(attributes: Attributes) {
    this.attributeSet.values = attributes;
  }

  get droppedAttributesCount(): number {
    return this.attributeSet.dropped;
  }

  get events(): SpanEvent[] {
    return (this.eventList ??= []);
  }

  get links(): SpanLink[] {
    return (this.linkList ??= []);
  }

  get resource(): ReadableSpan['resource'] {
    return (this.pipeline as Pipeline).resource;
  }

  /** An estimate of the bytes of the ended span in an exported message. It stays the same, although an exporter may change the span. */
  get estimatedSize(): number {
    if (this.sizeOnce !== undefined) return this.sizeOnce;
    const texts = textSize(this.name) + textSize(this.status.message);
    const size = BYTES_PER_SPAN + texts + this.attributeSet.size + entriesSize(this.eventList, this.linkList);
    try {
      this.sizeOnce = size;
    } catch {
      // A processor has frozen the span.
    }
    return size;
  }

  private get limits(): SpanLimits {
    return this.pipeline?.limits ?? EARLY_LIMITS;
  }

  /** The text of `console.log(span)`. */
  [inspect.custom](depth: number, options: InspectOptions): string {
    return `RecordedSpan ${inspect(this.toJSON(), { ...options, depth })}`;
  }

  toJSON(): object {
    return shownParts(this);
  }
}
