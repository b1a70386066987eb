import { propagation, trace, type Context, type Link, type SpanContext, type TextMapGetter } from '@opentelemetry/api';
import { callSafely, isConfirmed } from './diagnostics.js';

/** The place of the span of an incoming exchange in a trace: its parent, and the spans that it is linked to. */
export interface SpanPlacement {
  readonly parent: Context;
  readonly links?: Link[];
  /** The remote span context, trusted or not. Undefined if the carrier has no valid one. */
  readonly caller?: SpanContext;
}

/** True if a caller is trusted: the option is not set, or it returns exactly true. */
export function isCallerTrusted<T>(
  option: string,
  trustIncoming: ((caller: T) => boolean) | undefined,
  caller: T,
): boolean {
  return !trustIncoming || isConfirmed(option, () => trustIncoming(caller));
}

/**
 * Places a span below its remote parent, if the carrier has a well-formed trace context. The span is only linked to a caller that is not
 * trusted: neither the trace nor the sampling decision nor the baggage of such a caller is adopted.
 */
export function resolvePlacement<Carrier>(
  outer: Context,
  carrier: Carrier,
  getter: TextMapGetter<Carrier>,
  isTrusted: boolean,
): SpanPlacement {
  const extracted = callSafely('The propagator', () => propagation.extract(outer, carrier, getter)) ?? outer;
  const caller = remoteSpanContext(extracted, outer);
  if (isTrusted) return caller ? { parent: extracted, caller } : { parent: extracted };
  const parent = propagation.deleteBaggage(trace.deleteSpan(outer));
  return caller ? { parent, caller, links: [linkTo(caller)] } : { parent };
}

/**
 * Places a span in a trace of its own that is linked to the sender of a message: the sender does not wait for what is done with the message.
 * The baggage of a trusted sender is adopted.
 */
export function resolveLink<Carrier>(
  outer: Context,
  carrier: Carrier,
  getter: TextMapGetter<Carrier>,
  isTrusted: boolean,
): SpanPlacement {
  const placement = resolvePlacement(outer, carrier, getter, isTrusted);
  const { caller, parent } = placement;
  // A sender that is not trusted is only linked to in any case.
  if (!isTrusted || !caller) return placement;
  return { parent: trace.deleteSpan(parent), caller, links: [{ context: caller }] };
}

/** Returns a link without the caller's `tracestate`, which vendors may act upon. */
function linkTo({ spanId, traceFlags, traceId }: SpanContext): Link {
  return { context: { traceId, spanId, traceFlags, isRemote: true } };
}

function remoteSpanContext(extracted: Context, outer: Context): SpanContext | undefined {
  const spanContext = trace.getSpanContext(extracted);
  if (!spanContext || !trace.isSpanContextValid(spanContext)) return undefined;
  return spanContext.isRemote || spanContext !== trace.getSpanContext(outer) ? spanContext : undefined;
}
