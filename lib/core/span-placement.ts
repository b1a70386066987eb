import { propagation, trace, type Context, type Link, type SpanContext, type TextMapGetter } from '@opentelemetry/api';
import { guarded, isConfirmed } from './diagnostics.js';

/** Where the span of something that came in is placed: its parent, and the spans that it is linked to. */
export interface SpanPlacement {
  readonly parent: Context;
  readonly links?: Link[];
  /** The valid span context that came in, trusted or not. */
  readonly caller?: SpanContext;
}

/** True if a caller is trusted: the application says nothing about it, or clearly says so. */
export function isCallerTrusted<T>(
  option: string,
  trustIncoming: ((caller: T) => boolean) | undefined,
  caller: T,
): boolean {
  return !trustIncoming || isConfirmed(option, () => trustIncoming(caller));
}

/**
 * Places a span below its remote parent, if the carrier has a well-formed trace context. A caller that is not trusted is only
 * linked to: nothing of its trace, its sampling decision or its baggage is adopted.
 */
export function resolvePlacement<Carrier>(
  outer: Context,
  carrier: Carrier,
  getter: TextMapGetter<Carrier>,
  isTrusted: boolean,
): SpanPlacement {
  const extracted = guarded('The propagator', () => propagation.extract(outer, carrier, getter)) ?? outer;
  const caller = remoteSpanContext(extracted, outer);
  if (isTrusted) return caller ? { parent: extracted, caller } : { parent: extracted };
  const parent = propagation.deleteBaggage(trace.deleteSpan(outer));
  return caller ? { parent, caller, links: [linkTo(caller)] } : { parent };
}

/** A link without the caller's trace state, which vendors may act upon. */
function linkTo({ spanId, traceFlags, traceId }: SpanContext): Link {
  return { context: { traceId, spanId, traceFlags, isRemote: true } };
}

function remoteSpanContext(extracted: Context, outer: Context): SpanContext | undefined {
  const spanContext = trace.getSpanContext(extracted);
  if (!spanContext || !trace.isSpanContextValid(spanContext)) return undefined;
  return spanContext.isRemote || spanContext !== trace.getSpanContext(outer) ? spanContext : undefined;
}
