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

/** What is noted of one span; a span that lives long before there is a provider must not grow without end. */
const MAX_NOTES = 1024;

/** A span of which everything is noted, until there is a real one to tell it to. */
export class EarlySpan implements Span {
  private real: Span | undefined;
  private ended = false;
  private readonly notes: ((span: Span) => void)[] = [];
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
    this.options = { ...options, attributes: copy(options.attributes), links: options.links?.map(copyLink) };
    this.startedAt = this.startBelow(trace.getSpan(parent));
    const parentIds = trace.getSpanContext(parent);
    const joined = parentIds && trace.isSpanContextValid(parentIds) ? parentIds : undefined;
    this.ids = {
      traceId: joined?.traceId ?? generator.generateTraceId(),
      spanId: generator.generateSpanId(),
      // The sampler is not known yet. Recording too much can be mended at the release, recording too little cannot.
      traceFlags: TraceFlags.SAMPLED,
      ...(joined?.traceState && { traceState: joined.traceState }),
    };
  }

  /** Tells everything to a real span, which gets the ids of this one. */
  replay(): void {
    const options = { ...this.options, startTime: this.options.startTime ?? this.startedAt };
    this.real = this.generator.withIds(this.ids, () =>
      this.tracer()?.startSpan(this.name, options, withRealSpan(this.parent)),
    );
    if (this.real) for (const note of this.notes) note(this.real);
    this.notes.length = 0;
  }

  spanContext(): SpanContext {
    return this.real?.spanContext() ?? this.ids;
  }

  isRecording(): boolean {
    return this.real?.isRecording() ?? !this.ended;
  }

  setAttribute(key: string, value: AttributeValue): this {
    return this.tell((span) => span.setAttribute(key, value));
  }

  setAttributes(attributes: Attributes): this {
    const copied = copy(attributes);
    return this.tell((span) => span.setAttributes(copied));
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    const attributes = isTime(attributesOrTime) ? undefined : copy(attributesOrTime);
    const happened = time ?? (isTime(attributesOrTime) ? attributesOrTime : this.now());
    return this.tell((span) => span.addEvent(name, attributes, happened));
  }

  addLink(link: Link): this {
    const copied = copyLink(link);
    return this.tell((span) => span.addLink(copied));
  }

  addLinks(links: Link[]): this {
    const copied = links.map(copyLink);
    return this.tell((span) => span.addLinks(copied));
  }

  setStatus(status: SpanStatus): this {
    const copied = { ...status };
    return this.tell((span) => span.setStatus(copied));
  }

  updateName(name: string): this {
    return this.tell((span) => span.updateName(name));
  }

  recordException(exception: Exception, time: TimeInput = this.now()): void {
    this.tell((span) => span.recordException(exception, time));
  }

  end(endTime: TimeInput = this.now()): void {
    if (this.real) this.real.end(endTime);
    else if (!this.ended) this.notes.push((span) => span.end(endTime));
    this.ended = true;
  }

  private tell(note: (span: Span) => unknown): this {
    if (this.real) note(this.real);
    else if (!this.ended && this.notes.length < MAX_NOTES) this.notes.push(note);
    return this;
  }

  /** The time by the clock of the parent, so that a clock that is set does not have a child start before it. */
  private startBelow(parent: Span | undefined): HrTime {
    return parent instanceof EarlySpan ? parent.timeAt(this.monotonicStart) : wallTime(this.monotonicStart);
  }

  private timeAt(monotonic: number): HrTime {
    return addMilliseconds(this.startedAt, monotonic - this.monotonicStart);
  }

  private now(): HrTime {
    return this.timeAt(performance.now());
  }

  /** The real span behind a parent that was early as well. */
  static behind(span: Span): Span {
    return span instanceof EarlySpan ? (span.real ?? span) : span;
  }
}

function withRealSpan(parent: Context): Context {
  const span = trace.getSpan(parent);
  return span ? trace.setSpan(parent, EarlySpan.behind(span)) : parent;
}

function isTime(value: Attributes | TimeInput | undefined): value is TimeInput {
  return typeof value === 'number' || value instanceof Date || Array.isArray(value);
}

// Callers may go on to change what they have passed, as they may with the SDK's own spans.
function copy<T extends Attributes | undefined>(attributes: T): T {
  return attributes && { ...attributes };
}

function copyLink(link: Link): Link {
  return { ...link, attributes: copy(link.attributes) };
}
