import { propagation, trace, type Context, type Link, type SpanContext, type TextMapGetter } from '@opentelemetry/api';
import { guarded, isConfirmed } from './diagnostics.js';

/** Where the span of something that came in stands. */
export interface Stand {
  readonly parent: Context;
  readonly links?: Link[];
  /** The span context that came in, trusted or not, if it is valid. */
  readonly caller?: SpanContext;
}

/** Whether a caller is trusted: where nothing is said of it, or where the application clearly says so. */
export function trusts<T>(option: string, trustIncoming: ((caller: T) => boolean) | undefined, caller: T): boolean {
  return !trustIncoming || isConfirmed(option, () => trustIncoming(caller));
}

/**
 * Below its caller, if that sent a trace context that is well formed. One that is not trusted is only linked to: nothing of
 * its trace, its sampling decision or its baggage is adopted.
 */
export function standOf<Carrier>(
  outer: Context,
  carrier: Carrier,
  getter: TextMapGetter<Carrier>,
  trusted: boolean,
): Stand {
  const extracted = guarded('The propagator', () => propagation.extract(outer, carrier, getter)) ?? outer;
  const caller = remoteSpanContext(extracted, outer);
  const known = caller && { caller };
  if (trusted) return { parent: extracted, ...known };
  const parent = propagation.deleteBaggage(trace.deleteSpan(outer));
  if (!caller) return { parent };
  const { traceId, spanId, traceFlags } = caller;
  return { parent, links: [{ context: { traceId, spanId, traceFlags, isRemote: true } }], ...known };
}

function remoteSpanContext(extracted: Context, outer: Context): SpanContext | undefined {
  const spanContext = trace.getSpanContext(extracted);
  if (!spanContext || !trace.isSpanContextValid(spanContext)) return undefined;
  return spanContext.isRemote || spanContext !== trace.getSpanContext(outer) ? spanContext : undefined;
}
