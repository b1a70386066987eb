import {
  trace,
  TraceFlags,
  type Attributes,
  type AttributeValue,
  type Context,
  type Exception,
  type HrTime,
  type Link,
  type Span,
  type SpanContext,
  type SpanOptions,
  type SpanStatus,
  type TimeInput,
  type Tracer,
} from '@opentelemetry/api';
import { addMilliseconds, wallTime } from './clock.js';
import type { PresetIdGenerator } from './id-generator.js';

/** The number of calls that are recorded of one span, which may live for long before there is a provider. */
const MAX_CALLS = 1024;

/** A span that records the calls of its methods, and repeats them on a real span as soon as there is one. */
export class EarlySpan implements Span {
  private realSpan: Span | undefined;
  private ended = false;
  private readonly calls: ((span: Span) => void)[] = [];
  private readonly ids: SpanContext;
  private readonly options: SpanOptions;
  private readonly monotonicStart = performance.now();
  private readonly startedAt: HrTime;

  constructor(
    private readonly name: string,
    options: SpanOptions,
    private readonly parent: Context,
    private readonly tracer: () => Tracer | undefined,
    private readonly generator: PresetIdGenerator,
  ) {
    this.options = { ...options, attributes: copyAttributes(options.attributes), links: options.links?.map(copyLink) };
    this.startedAt = this.startBelow(trace.getSpan(parent));
    const parentIds = trace.getSpanContext(parent);
    const joined = parentIds && trace.isSpanContextValid(parentIds) ? parentIds : undefined;
    this.ids = {
      traceId: joined?.traceId ?? generator.generateTraceId(),
      spanId: generator.generateSpanId(),
      // The sampler is not known yet. It can still discard the span when that is replayed, but not bring it back.
      traceFlags: TraceFlags.SAMPLED,
      ...(joined?.traceState && { traceState: joined.traceState }),
    };
  }

  /** Starts the real span under the ids of this one, and repeats the recorded calls on it. */
  replay(): void {
    const options = { ...this.options, startTime: this.options.startTime ?? this.startedAt };
    this.realSpan = this.generator.withIds(this.ids, () =>
      this.tracer()?.startSpan(this.name, options, withRealSpan(this.parent)),
    );
    if (this.realSpan) for (const call of this.calls) call(this.realSpan);
    this.calls.length = 0;
  }

  spanContext(): SpanContext {
    return this.realSpan?.spanContext() ?? this.ids;
  }

  isRecording(): boolean {
    return this.realSpan?.isRecording() ?? !this.ended;
  }

  setAttribute(key: string, value: AttributeValue): this {
    return this.call((span) => span.setAttribute(key, value));
  }

  setAttributes(attributes: Attributes): this {
    const copied = copyAttributes(attributes);
    return this.call((span) => span.setAttributes(copied));
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    const attributes = isTime(attributesOrTime) ? undefined : copyAttributes(attributesOrTime);
    const happened = time ?? (isTime(attributesOrTime) ? attributesOrTime : this.now());
    return this.call((span) => span.addEvent(name, attributes, happened));
  }

  addLink(link: Link): this {
    const copied = copyLink(link);
    return this.call((span) => span.addLink(copied));
  }

  addLinks(links: Link[]): this {
    const copied = links.map(copyLink);
    return this.call((span) => span.addLinks(copied));
  }

  setStatus(status: SpanStatus): this {
    const copied = { ...status };
    return this.call((span) => span.setStatus(copied));
  }

  updateName(name: string): this {
    return this.call((span) => span.updateName(name));
  }

  recordException(exception: Exception, time: TimeInput = this.now()): void {
    this.call((span) => span.recordException(exception, time));
  }

  end(endTime: TimeInput = this.now()): void {
    if (this.realSpan) this.realSpan.end(endTime);
    else if (!this.ended) this.calls.push((span) => span.end(endTime));
    this.ended = true;
  }

  /** Calls a method of the real span, or records the call. */
  private call(method: (span: Span) => unknown): this {
    if (this.realSpan) method(this.realSpan);
    else if (!this.ended && this.calls.length < MAX_CALLS) this.calls.push(method);
    return this;
  }

  /** Returns the start by the clock of the parent: if the wall clock is set back, the child still starts after its parent. */
  private startBelow(parent: Span | undefined): HrTime {
    return parent instanceof EarlySpan ? parent.timeAt(this.monotonicStart) : wallTime(this.monotonicStart);
  }

  private timeAt(monotonic: number): HrTime {
    return addMilliseconds(this.startedAt, monotonic - this.monotonicStart);
  }

  private now(): HrTime {
    return this.timeAt(performance.now());
  }

  /** Returns the real span of an early span that has been replayed, and any other span as it is. */
  static realSpanOf(span: Span): Span {
    return span instanceof EarlySpan ? (span.realSpan ?? span) : span;
  }
}

function withRealSpan(parent: Context): Context {
  const span = trace.getSpan(parent);
  return span ? trace.setSpan(parent, EarlySpan.realSpanOf(span)) : parent;
}

function isTime(value: Attributes | TimeInput | undefined): value is TimeInput {
  return typeof value === 'number' || value instanceof Date || Array.isArray(value);
}

// The caller may change the object after the call, as it may with spans of the SDK.
function copyAttributes<T extends Attributes | undefined>(attributes: T): T {
  return attributes && { ...attributes };
}

function copyLink(link: Link): Link {
  return { ...link, attributes: copyAttributes(link.attributes) };
}
