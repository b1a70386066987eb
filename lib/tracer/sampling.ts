import type { Attributes, Context, Link, SpanContext, SpanKind, SpanOptions, TraceState } from '@opentelemetry/api';
import { TraceFlags } from '@opentelemetry/api';
import type { ResolvedKeep } from '../options/sampler.js';
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
  /** True if a span below an unsampled one is never sampled. */
  readonly isUnsampledInherited: boolean;
  /** Decides about a trace that begins, by its id alone. Undefined if the sampler needs more than the id. */
  readonly samplesTrace: ((id: TraceId) => boolean) | undefined;
  /** The traces that are exported although they are not sampled. Undefined if there are none. */
  readonly keep?: ResolvedKeep | undefined;
}

/** The decision about a span. */
export interface Decision {
  readonly isRecorded: boolean;
  readonly isSampled: boolean;
  readonly traceState: TraceState | undefined;
  /** The attributes of the span at its start: the given ones, as the sampler has left them, and those that it adds. */
  readonly attributes: Attributes;
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
  const attributes = copyOf(options.attributes);
  const links: Link[] = Array.isArray(options.links) ? options.links.map(copyOfLink) : [];
  const result = sampler.shouldSample(within, id.text, name, kind, attributes, links);
  return {
    isRecorded: result.decision !== NOT_RECORD,
    isSampled: result.decision === RECORD_AND_SAMPLED,
    traceState: result.traceState ?? spanContextOf(parent)?.traceState,
    attributes: Object.assign(attributes, result.attributes),
  };
}

/** Returns a copy, because a sampler may change what it is given. */
function copyOf(attributes: Attributes | undefined): Attributes {
  const set = new AttributeSet();
  if (attributes) set.setAll(attributes, NO_LIMITS);
  return set.values;
}

function copyOfLink(link: Link | undefined): Link {
  return { context: link?.context as SpanContext, attributes: copyOf(link?.attributes) };
}

function spanContextOf(parent: IdentifiedSpan | SpanContext | undefined): SpanContext | undefined {
  return parent instanceof IdentifiedSpan ? parent.spanContext() : parent;
}
