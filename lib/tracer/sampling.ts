import type { Attributes, Context, Link, SpanContext, SpanKind, SpanOptions, TraceState } from '@opentelemetry/api';
import { trace, TraceFlags } from '@opentelemetry/api';
import type { Sampler } from '../options/sdk-types.js';
import { samplingRequestIn } from '../propagation/sampling-request.js';
import { traitsOf, UNDECIDED } from '../propagation/trace-state.js';
import { AttributeSet } from './attributes.js';
import { IdentifiedSpan } from './identified-span.js';
import type { Origin } from './origin.js';
import type { TraceId } from './trace-ids.js';

/** `SamplingDecision` of the SDK. */
const NOT_RECORD = 0;
const RECORD_AND_SAMPLED = 2;

const NO_LIMITS = { count: Infinity, valueLength: Infinity };

/** How traces are sampled. */
export interface Sampling {
  /** Decides every case, by the interface of the SDK. */
  readonly sampler: Sampler;
  /** True if a span below another one is sampled if and only if that one is. */
  readonly isParentBased: boolean;
  /** Decides about a trace that begins, by its id alone. Undefined if the sampler needs more than the id. */
  readonly samplesTrace: ((id: TraceId) => boolean) | undefined;
}

/** The decision about a span. */
export interface Decision {
  readonly isRecorded: boolean;
  readonly isSampled: boolean;
  readonly traceState: TraceState | undefined;
  /** Attributes that the sampler adds to the span. */
  readonly attributes?: Attributes | undefined;
}

/** Decides without the sampler whether a span is sampled, which takes a small part of its time. Undefined if the sampler has to decide. */
export function decideQuickly(
  { isParentBased, samplesTrace }: Sampling,
  { parent, trace }: Origin,
  within: Context,
): boolean | undefined {
  if (!parent) return samplesTrace && !samplingRequestIn(within) ? samplesTrace(trace.id) : undefined;
  if (!isParentBased) return undefined;
  if (parent instanceof IdentifiedSpan) return parent.isSampled;
  return traitsOf(parent) & UNDECIDED ? undefined : (parent.traceFlags & TraceFlags.SAMPLED) !== 0;
}

/** Lets the sampler decide about a span. */
export function decide(
  { sampler }: Sampling,
  { parent, trace: { id } }: Origin,
  within: Context,
  name: string,
  kind: SpanKind,
  options: SpanOptions,
): Decision {
  const below = parent ? within : trace.deleteSpan(within);
  const attributes = new AttributeSet();
  if (options.attributes) attributes.setAll(options.attributes, NO_LIMITS);
  const links: Link[] = Array.isArray(options.links) ? options.links : [];
  const result = sampler.shouldSample(below, id.text, name, kind, attributes.values, links);
  return {
    isRecorded: result.decision !== NOT_RECORD,
    isSampled: result.decision === RECORD_AND_SAMPLED,
    traceState: result.traceState ?? spanContextOf(parent)?.traceState,
    attributes: result.attributes,
  };
}

function spanContextOf(parent: IdentifiedSpan | SpanContext | undefined): SpanContext | undefined {
  return parent instanceof IdentifiedSpan ? parent.spanContext() : parent;
}
